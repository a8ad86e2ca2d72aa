#include "format/systemd_unit.h"

#include "format/keys.h"

#include <string.h>

/* The value's own bytes: those behind "=" to the end of the word, but for one pair of quotes around word or value. */
static void locate_value(const struct dr_unit_word *word, struct dr_unit_assignment *assignment)
{
    size_t length = strlen(assignment->value);
    size_t name = strlen(assignment->name);

    assignment->line = word->line;
    assignment->offset = word->offset;
    if (word->bytes == 0 || length == 0)
        return;

    const char *spelling = assignment->entry->value + word->start;
    size_t quoted = spelling[0] == '"' || spelling[0] == '\'';
    size_t inner = quoted + name + 1;

    if (!quoted && inner < word->bytes && (spelling[inner] == '"' || spelling[inner] == '\'')) {
        quoted = 1;
        inner++;
    }
    if (inner + length + quoted != word->bytes || memcmp(spelling + inner, assignment->value, length) != 0)
        return;
    assignment->offset = word->offset + inner;
    assignment->bytes = length;
}

int dr_unit_assignments(const struct dr_unit_entry *entry, struct dr_arena *arena,
                        const struct dr_unit_assignment **ret_assignments, size_t *ret_count)
{
    const struct dr_unit_word *words;
    size_t word_count;
    size_t count = 0;
    int r = dr_unit_words(entry, false, arena, &words, &word_count);

    /* systemd drops what follows a syntax error and keeps what came before. */
    if (r < 0 && r != -EINVAL)
        return r;

    struct dr_unit_assignment *list = dr_arena_alloc(arena, (word_count + 1) * sizeof(*list));

    if (!list)
        return -ENOMEM;
    for (size_t i = 0; i < word_count; i++) {
        const char *equals = memchr(words[i].text, '=', words[i].length);
        size_t name = equals ? (size_t)(equals - words[i].text) : 0;

        if (!dr_key_is_variable(words[i].text, name))
            continue;

        struct dr_unit_assignment *assignment = &list[count++];

        *assignment = (struct dr_unit_assignment){
            .entry = entry,
            .name = dr_arena_strndup(arena, words[i].text, name),
            .value = equals + 1,
            .specifier = words[i].specifier,
            .alone = word_count == 1 && r == 0,
        };
        if (!assignment->name)
            return -ENOMEM;
        locate_value(&words[i], assignment);
    }
    *ret_assignments = list;
    *ret_count = count;
    return 0;
}

/* Takes the prefixes off the program's name. Each counts once, as in systemd. */
static void read_prefixes(struct dr_unit_command *command, struct dr_unit_word *program)
{
    for (;;) {
        bool *flag = NULL;

        switch (program->text[0]) {
        case '-':
            flag = &command->ignore_failure;
            break;
        case '@':
            flag = &command->has_argv0;
            break;
        case ':':
            flag = &command->no_expansion;
            break;
        case '+':
            flag = &command->full_privileges;
            break;
        case '!':
            flag = &command->no_setuid;
            break;
        default:
            break;
        }
        if (!flag)
            return;
        *flag = true;
        program->text++;
        program->length--;
        program->verbatim = false;
    }
}

static bool is_separator(const struct dr_unit_word *word)
{
    return word->length == 1 && word->text[0] == ';' && word->bytes == 1;
}

int dr_unit_commands(const struct dr_unit_entry *entry, struct dr_arena *arena, const struct dr_unit_command **ret_commands,
                     size_t *ret_count)
{
    const struct dr_unit_word *split;
    size_t word_count;
    size_t count = 0;
    int r = dr_unit_words(entry, true, arena, &split, &word_count);

    if (r < 0)
        return r;

    struct dr_unit_command *commands = dr_arena_alloc(arena, (word_count / 2 + 1) * sizeof(*commands));
    struct dr_unit_word *words = dr_arena_alloc(arena, (word_count + 1) * sizeof(*words));

    if (!commands || !words)
        return -ENOMEM;
    if (word_count)
        memcpy(words, split, word_count * sizeof(*words));
    for (size_t i = 0; i < word_count; i++) {
        struct dr_unit_command *command = &commands[count];

        if (is_separator(&words[i]))
            continue;
        *command = (struct dr_unit_command){ .words = &words[i] };
        read_prefixes(command, &words[i]);
        for (; i < word_count && !is_separator(&words[i]); i++) {
            if (words[i].length == 2 && memcmp(words[i].text, "\\;", 2) == 0) {
                words[i].text++; /* how a lone semicolon is spelt as an argument */
                words[i].length--;
                words[i].verbatim = false;
            }
            command->count++;
        }
        count++;
    }
    *ret_commands = commands;
    *ret_count = count;
    return 0;
}
