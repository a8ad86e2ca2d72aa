#include "facts/context.h"

#include "api/target.h"
#include "base/buffer.h"
#include "base/hash.h"

#include <stdarg.h>
#include <string.h>

struct dr_secrets {
    const char *text;
    size_t length;
    struct dr_secrets *next;
};

enum { SHORTEST_SECRET = 6 };

static void *or_give_up(struct dr_context *context, void *memory)
{
    if (memory)
        return memory;
    if (context->out_of_memory)
        context->out_of_memory();
    abort();
}

void *dr_alloc(struct dr_context *context, size_t size)
{
    return or_give_up(context, dr_arena_alloc(context->arena, size));
}

char *dr_strdup(struct dr_context *context, const char *text)
{
    return text ? or_give_up(context, dr_arena_strdup(context->arena, text)) : NULL;
}

char *dr_strndup(struct dr_context *context, const char *text, size_t length)
{
    return or_give_up(context, dr_arena_strndup(context->arena, text, length));
}

char *dr_vformat(struct dr_context *context, const char *format, va_list arguments)
{
    return or_give_up(context, dr_arena_vformat(context->arena, format, arguments));
}

char *dr_format(struct dr_context *context, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    char *text = dr_vformat(context, format, arguments);

    va_end(arguments);
    return text;
}

int64_t dr_now_ms(struct dr_context *context)
{
    return context->request->now_ms;
}

const char *dr_environment(struct dr_context *context, const char *name)
{
    size_t length = strlen(name);
    const char *const *entry = context->request->environment;

    for (; entry && *entry; entry++)
        if (strncmp(*entry, name, length) == 0 && (*entry)[length] == '=')
            return *entry + length + 1;
    return NULL;
}

const char *dr_working_directory(struct dr_context *context)
{
    return context->request->working_directory;
}

void dr_secret_known(struct dr_context *context, const char *secret)
{
    if (!secret || strlen(secret) < SHORTEST_SECRET)
        return;
    for (struct dr_secrets *known = context->secrets; known; known = known->next)
        if (strcmp(known->text, secret) == 0)
            return;

    struct dr_secrets *added = dr_alloc(context, sizeof(*added));
    struct dr_secrets **place = &context->secrets;

    added->text = dr_strdup(context, secret);
    added->length = strlen(secret);
    /* Longest first: a secret that contains another is replaced whole. */
    while (*place && (*place)->length >= added->length)
        place = &(*place)->next;
    added->next = *place;
    *place = added;
}

static const struct dr_secrets *secret_at(const struct dr_context *context, const char *text, size_t length)
{
    for (const struct dr_secrets *known = context->secrets; known; known = known->next)
        if (known->length <= length && known->text[0] == text[0] && memcmp(known->text, text, known->length) == 0)
            return known;
    return NULL;
}

int dr_secret_redact(struct dr_context *context, const char *text, size_t length, struct dr_buffer *buffer)
{
    size_t plain = 0;
    int r;

    for (size_t i = 0; i < length;) {
        const struct dr_secrets *secret = secret_at(context, text + i, length - i);

        if (!secret) {
            i++;
            continue;
        }
        char fingerprint[DR_FINGERPRINT];

        dr_fingerprint(secret->text, secret->length, fingerprint);
        r = dr_buffer_append(buffer, text + plain, i - plain);
        if (r < 0)
            return r;
        r = dr_buffer_appendf(buffer, "<%s>", fingerprint);
        if (r < 0)
            return r;
        i += secret->length;
        plain = i;
    }
    return dr_buffer_append(buffer, text + plain, length - plain);
}
