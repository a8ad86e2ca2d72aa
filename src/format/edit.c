#include "format/edit.h"

void dr_edits_sort(struct dr_edit *edits, size_t count)
{
    /* Few edits, nearly sorted: insertion keeps equal ones in order. */
    for (size_t i = 1; i < count; i++) {
        struct dr_edit moved = edits[i];
        size_t place = i;

        for (; place > 0 && edits[place - 1].offset > moved.offset; place--)
            edits[place] = edits[place - 1];
        edits[place] = moved;
    }
}

int dr_edits_apply(const char *bytes, size_t length, const struct dr_edit *edits, size_t count, struct dr_buffer *buffer)
{
    size_t done = 0;

    for (size_t i = 0; i < count; i++) {
        const struct dr_edit *edit = &edits[i];

        if (edit->offset < done || edit->offset > length || edit->length > length - edit->offset ||
            edit->from.kind != DR_LITERAL)
            return -EINVAL;

        int r = dr_buffer_append(buffer, bytes + done, edit->offset - done);

        if (r >= 0 && edit->text)
            r = dr_buffer_append(buffer, edit->text, edit->text_length);
        if (r < 0)
            return r;
        done = edit->offset + edit->length;
    }
    return dr_buffer_append(buffer, bytes + done, length - done);
}
