/* What may fill a command's placeholders, and the command that comes of it. */
#include "base/text.h"
#include "wire/commands.h"
#include "wire/wire.h"

#include <signal.h>
#include <string.h>

#define DIGITS "0123456789"
#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

enum { MOST_PATH = 4000, MOST_UNIT = 255, MOST_USER = 64, MOST_DIGITS = 19 };

/* --- one word ----------------------------------------------------------------------------------------------------- */

static bool has_control(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < ' ' || *text == 0x7f)
            return true;
    return false;
}

static bool is_path(const char *text)
{
    _cleanup_free_ char *clean = text[0] == '/' && strlen(text) <= MOST_PATH ? dr_path_clean(text) : NULL;

    return clean && strcmp(clean, text) == 0 && !has_control(text) && dr_text_is_utf8(text, strlen(text));
}

static bool is_made_of(const char *text, const char *first, const char *others, size_t most)
{
    size_t length = strlen(text);

    return length > 0 && length <= most && strchr(first, text[0]) && strspn(text, others) == length;
}

/* systemd.unit(5): letters, digits, ":-_.\" and "@"; only what is started, no slices or devices. */
static bool is_unit(const char *text)
{
    static const char *const suffixes[] = { ".service", ".socket", ".timer" };

    if (!is_made_of(text, LETTERS DIGITS "_", LETTERS DIGITS ":-_.\\@", MOST_UNIT))
        return false;
    for (size_t i = 0; i < DR_COUNT(suffixes); i++)
        if (dr_text_ends_with(text, suffixes[i]) && strlen(text) > strlen(suffixes[i]))
            return true;
    return false;
}

static bool is_number(const char *text)
{
    return is_made_of(text, "123456789", DIGITS, MOST_DIGITS);
}

/* The configuration is sent there: to this host and nowhere else. */
static bool is_address(const char *text)
{
    static const char *const hosts[] = { "127.0.0.1:", "localhost:", "[::1]:" };

    if (dr_text_starts_with(text, "unix/"))
        return is_path(text + strlen("unix/"));
    for (size_t i = 0; i < DR_COUNT(hosts); i++)
        if (dr_text_starts_with(text, hosts[i]))
            return strlen(text + strlen(hosts[i])) <= 5 && is_number(text + strlen(hosts[i]));
    return false;
}

static bool fits(enum dr_word_kind kind, const char *text)
{
    switch (kind) {
    case DR_WORD_FILE:
    case DR_WORD_PATH:
        return is_path(text);
    case DR_WORD_UNIT:
        return is_unit(text);
    case DR_WORD_USER:
        return is_made_of(text, LETTERS "_", LETTERS DIGITS "_.-", MOST_USER);
    case DR_WORD_ADDRESS:
        return is_address(text);
    case DR_WORD_NUMBER:
        return is_number(text);
    case DR_WORD_NONE:
        break;
    }
    return false;
}

/* --- the whole command -------------------------------------------------------------------------------------------- */

static bool has_name(const char *names, const char *name)
{
    size_t length = strlen(name);

    for (; length > 0 && *names; names += strspn(names, " ")) {
        size_t one = strcspn(names, " ");

        if (one == length && strncmp(names, name, length) == 0)
            return true;
        names += one;
    }
    return false;
}

/* Which word an argument wants: "{0}" or "unix/{0}"; -1: none. */
static int wanted(const char *argument)
{
    const char *open = strchr(argument, '{');

    return open && open[1] >= '0' && open[1] < '0' + DR_COMMAND_WORDS && open[2] == '}' ? open[1] - '0' : -1;
}

/* How many words the row cannot do without: those before its "?". A signal wants all. */
static size_t least_words(const struct dr_command_row *row)
{
    size_t least = 0;

    if (row->signal != 0)
        return 2;
    for (size_t i = 0; i < DR_COMMAND_ARGUMENTS && row->arguments[i] && strcmp(row->arguments[i], "?") != 0; i++)
        if (wanted(row->arguments[i]) >= (int)least)
            least = (size_t)wanted(row->arguments[i]) + 1;
    return least;
}

static size_t given_words(const struct dr_command *command)
{
    size_t given = 0;

    while (given < DR_COMMAND_WORDS && command->words[given])
        given++;
    return given;
}

int dr_command_check(const struct dr_command *command, struct dr_error *error)
{
    const struct dr_command_row *row = dr_command_find(command->name);
    const char *slash = command->program ? strrchr(command->program, '/') : NULL;
    size_t given = given_words(command);

    if (!row)
        return dr_error_set(error, -EINVAL, "this doctor does not know such a command");
    if (!slash || !is_path(command->program) || !has_name(row->programs, slash + 1))
        return dr_error_set(error, -EINVAL, "the command \"%s\" is not run with that program", row->name);
    if (command->when == 0 || (command->when & ~(unsigned)(DR_COMMAND_FORWARD | DR_COMMAND_ON_UNDO)) != 0)
        return dr_error_set(error, -EINVAL, "the command \"%s\" does not say when", row->name);
    if (given < least_words(row))
        return dr_error_set(error, -EINVAL, "the command \"%s\" lacks a word", row->name);
    for (size_t i = 0; i < DR_COMMAND_WORDS; i++)
        if (command->words[i] && (i >= given || !fits(row->words[i], command->words[i])))
            return dr_error_set(error, -EINVAL, "word %zu does not fit the command \"%s\"", i + 1, row->name);
    return 0;
}

static const char *fill(struct dr_arena *arena, const char *text, const struct dr_command *command)
{
    int word = wanted(text);
    const char *open = strchr(text, '{');

    if (word < 0)
        return dr_arena_strdup(arena, text);
    return dr_arena_format(arena, "%.*s%s%s", (int)(open - text), text, command->words[word], open + 3);
}

static bool is_given(const struct dr_command *command, const char *text)
{
    return wanted(text) < 0 || command->words[wanted(text)];
}

/* From the argument behind a "?" up to the next. */
static bool all_given(const struct dr_command_row *row, size_t from, const struct dr_command *command)
{
    for (size_t i = from; i < DR_COMMAND_ARGUMENTS && row->arguments[i] && strcmp(row->arguments[i], "?") != 0; i++)
        if (!is_given(command, row->arguments[i]))
            return false;
    return true;
}

int dr_command_arguments(const struct dr_command *command, struct dr_arena *arena,
                         const char *arguments[DR_COMMAND_ARGUMENTS + 2], const char **ret_variable)
{
    const struct dr_command_row *row = dr_command_find(command->name);
    size_t count = 0;

    if (!row)
        return -EINVAL;
    arguments[count++] = command->program;
    for (size_t i = 0; i < DR_COMMAND_ARGUMENTS && row->arguments[i]; i++) {
        if (strcmp(row->arguments[i], "?") == 0) {
            if (!all_given(row, i + 1, command))
                break;
            continue;
        }
        arguments[count] = fill(arena, row->arguments[i], command);
        if (!arguments[count++])
            return -ENOMEM;
    }
    arguments[count] = NULL;
    if (ret_variable) {
        bool set = row->variable && is_given(command, row->variable);

        *ret_variable = set ? fill(arena, row->variable, command) : NULL;
        if (set && !*ret_variable)
            return -ENOMEM;
    }
    return 0;
}

static int append_quoted(struct dr_buffer *line, const char *word)
{
    int r = 0;

    if (word[0] != '\0' && strspn(word, LETTERS DIGITS "/._:@%+=,-") == strlen(word))
        return dr_buffer_append_text(line, word);
    r = dr_buffer_append_byte(line, '\'');
    for (; r == 0 && *word; word++)
        r = *word == '\'' ? dr_buffer_append_text(line, "'\\''") : dr_buffer_append_byte(line, *word);
    return r < 0 ? r : dr_buffer_append_byte(line, '\'');
}

static const char *signal_word(int number)
{
    return number == SIGHUP ? "HUP" : number == SIGUSR1 ? "USR1" : "USR2";
}

int dr_command_line(const struct dr_command *command, struct dr_buffer *line)
{
    _cleanup_arena_ struct dr_arena arena = DR_ARENA(256 * 1024);
    const struct dr_command_row *row = dr_command_find(command->name);
    const char *arguments[DR_COMMAND_ARGUMENTS + 2], *variable = NULL;
    int r = row ? dr_command_arguments(command, &arena, arguments, &variable) : -EINVAL;

    if (r < 0)
        return r;
    if (row->signal != 0)
        return dr_buffer_appendf(line, "kill -%s %s", signal_word(row->signal), command->words[0]);
    if (variable) {
        size_t name = strcspn(variable, "=") + 1;

        r = dr_buffer_append(line, variable, name);
        if (r == 0)
            r = append_quoted(line, variable + name);
        if (r == 0)
            r = dr_buffer_append_byte(line, ' ');
    }
    for (size_t i = 0; r == 0 && arguments[i]; i++) {
        if (i > 0)
            r = dr_buffer_append_byte(line, ' ');
        if (r == 0)
            r = append_quoted(line, arguments[i]);
    }
    return r;
}

/* --- as JSON ------------------------------------------------------------------------------------------------------- */

static const struct {
    enum dr_command_when bit;
    const char *name;
} moments[] = { { DR_COMMAND_FORWARD, "forward" }, { DR_COMMAND_ON_UNDO, "on-undo" } };

static bool add_word(cJSON *array, const char *word)
{
    cJSON *item = cJSON_CreateString(word);

    if (item && cJSON_AddItemToArray(array, item))
        return true;
    cJSON_Delete(item);
    return false;
}

cJSON *dr_command_to_json(const struct dr_command *command)
{
    cJSON *json = cJSON_CreateObject();
    cJSON *words = json ? cJSON_AddArrayToObject(json, "words") : NULL;
    cJSON *when = json ? cJSON_AddArrayToObject(json, "when") : NULL;
    bool ok = words && when && cJSON_AddStringToObject(json, "name", command->name);

    for (size_t i = 0; ok && i < DR_COMMAND_WORDS && command->words[i]; i++)
        ok = add_word(words, command->words[i]);
    for (size_t i = 0; ok && i < DR_COUNT(moments); i++)
        ok = (command->when & moments[i].bit) == 0 || add_word(when, moments[i].name);
    if (ok)
        return json;
    cJSON_Delete(json);
    return NULL;
}

static int take_words(const cJSON *array, struct dr_arena *arena, struct dr_command *command)
{
    const cJSON *item;
    size_t count = 0;

    if (!cJSON_IsArray(array))
        return -EINVAL;
    cJSON_ArrayForEach (item, array) {
        if (!cJSON_IsString(item) || count == DR_COMMAND_WORDS)
            return -EINVAL;
        command->words[count] = dr_arena_strdup(arena, item->valuestring);
        if (!command->words[count++])
            return -ENOMEM;
    }
    return 0;
}

static int take_when(const cJSON *array, struct dr_command *command)
{
    const cJSON *item;

    if (!cJSON_IsArray(array))
        return -EINVAL;
    cJSON_ArrayForEach (item, array) {
        unsigned bit = 0;

        for (size_t i = 0; i < DR_COUNT(moments); i++)
            if (cJSON_IsString(item) && strcmp(item->valuestring, moments[i].name) == 0)
                bit = moments[i].bit;
        if (bit == 0)
            return -EINVAL;
        command->when |= bit;
    }
    return 0;
}

int dr_command_from_json(const cJSON *json, const char *program, struct dr_arena *arena, struct dr_command *ret_command,
                         struct dr_error *error)
{
    struct dr_command command = { 0 };
    const char *name = dr_json_text(json, "name");
    int r = cJSON_IsObject(json) && name && program ? 0 : -EINVAL;

    if (r == 0)
        r = take_words(cJSON_GetObjectItemCaseSensitive(json, "words"), arena, &command);
    if (r == 0)
        r = take_when(cJSON_GetObjectItemCaseSensitive(json, "when"), &command);
    if (r < 0)
        return dr_error_set(error, r, "operation: \"command\" is missing or not as documented");
    command.name = dr_arena_strdup(arena, name);
    command.program = dr_arena_strdup(arena, program);
    if (!command.name || !command.program)
        return -ENOMEM;
    _cleanup_error_ struct dr_error why = { 0 };

    r = dr_command_check(&command, &why);
    if (r < 0)
        return dr_error_set(error, r, "operation: %s", dr_error_text(&why));
    *ret_command = command;
    return 0;
}
