/*
 * Variables of a compose file (docs.docker.com/reference/compose-file/interpolation/): $NAME, ${NAME}, ${NAME:-default}, ${NAME-default},
 * ${NAME:?error}, ${NAME?error}, ${NAME:+other}, ${NAME+other}, one in another; "$$" is "$".
 *
 * Whoever starts Compose may have the variable in his shell, which goes first; that shell cannot be seen. So a default is believed, and a
 * variable without one that no .env sets is unknown: it stays as ${NAME} in the text.
 */
#include "format/compose.h"

#include "base/buffer.h"

#include <ctype.h>
#include <string.h>

struct filling {
    const struct compose_project *project;
    const struct compose_scope *scope;
    struct dr_buffer *out;
    const char *unknown;
    unsigned depth;
    int r;
};

static void fill(struct filling *filling, const char *text, size_t length);

static void put(struct filling *filling, const char *bytes, size_t length)
{
    if (filling->r == 0)
        filling->r = dr_buffer_append(filling->out, bytes, length);
}

/* The outer project's variables go before an included one's. */
static const struct dr_dotenv_entry *entry_of(const struct compose_scope *scope, const char *name)
{
    const struct dr_dotenv_entry *entry = scope && scope->outer ? entry_of(scope->outer, name) : NULL;

    return entry || !scope || !scope->has_dotenv ? entry : dr_dotenv_get(&scope->dotenv, name);
}

static bool put_value(struct filling *filling, const char *name, bool empty_is_none, bool test_only)
{
    const struct dr_proxy_loader *loader = filling->project->model->gathering->loader;
    const struct dr_dotenv_entry *entry = entry_of(filling->scope, name);
    const char *value = entry ? entry->value : loader->environment(loader->user, name);

    if (!value || (empty_is_none && !*value))
        return false;
    if (test_only)
        return true;
    /* The values of a .env are filled in, too, unless they stand in single quotes. */
    if (entry && entry->quote != '\'' && filling->depth < COMPOSE_DEPTH)
        fill(filling, value, strlen(value));
    else
        put(filling, value, strlen(value));
    return true;
}

static void expand(struct filling *filling, const char *text, size_t length)
{
    struct dr_arena *arena = filling->project->model->arena;
    size_t end = 0;

    while (end < length && (isalnum((unsigned char)text[end]) || text[end] == '_'))
        end++;
    const char *name = dr_arena_strndup(arena, text, end);
    bool colon = end < length && text[end] == ':';
    size_t at = end + colon;
    char how = at < length ? text[at] : '\0';
    const char *rest = text + at + 1;
    size_t rest_length = at < length ? length - at - 1 : 0;

    if (!name) {
        filling->r = -ENOMEM;
        return;
    }
    if (how == '+') {
        if (put_value(filling, name, colon, true))
            fill(filling, rest, rest_length);
        return;
    }
    if (put_value(filling, name, colon, false))
        return;
    if (how == '-') {
        fill(filling, rest, rest_length);
    } else {
        filling->unknown = filling->unknown ? filling->unknown : name;
        put(filling, "${", 2);
        put(filling, name, strlen(name));
        put(filling, "}", 1);
    }
}

/* Where the brace that `text` opens is closed; braces in it count. */
static const char *closing(const char *text, const char *end)
{
    unsigned open = 0;

    for (; text < end; text++) {
        open += *text == '{';
        if (*text == '}' && --open == 0)
            return text;
    }
    return NULL;
}

static void fill(struct filling *filling, const char *text, size_t length)
{
    const char *end = text + length, *dollar;

    if (++filling->depth > COMPOSE_DEPTH)
        text = end;
    while (text < end && filling->r == 0 && (dollar = memchr(text, '$', (size_t)(end - text)))) {
        const char *next = dollar + 1, *close;

        put(filling, text, (size_t)(dollar - text));
        text = next;
        if (next < end && *next == '{' && (close = closing(next, end))) {
            expand(filling, next + 1, (size_t)(close - next - 1));
            text = close + 1;
        } else if (next < end && (isalpha((unsigned char)*next) || *next == '_')) {
            while (text < end && (isalnum((unsigned char)*text) || *text == '_'))
                text++;
            expand(filling, next, (size_t)(text - next));
        } else {
            put(filling, "$", 1);
            text += next < end && *next == '$';
        }
    }
    put(filling, text, (size_t)(end - text));
    filling->depth--;
}

static const struct compose_scope *scope_of(const struct compose_project *project, const struct dr_proxy_file *file)
{
    for (size_t i = 0; i < project->file_count; i++)
        if (project->files[i].file == file)
            return project->files[i].scope;
    return project->main;
}

struct compose_text dr_compose_fill_text(const struct compose_project *project, const struct dr_proxy_file *file,
                                         const char *text)
{
    _cleanup_buffer_ struct dr_buffer out = DR_BUFFER(COMPOSE_TEXT);
    struct filling filling = { .project = project, .scope = scope_of(project, file), .out = &out };

    if (!text || !strchr(text, '$'))
        return (struct compose_text){ .text = text ? text : "" };
    fill(&filling, text, strlen(text));
    const char *made = filling.r == 0 ? dr_arena_strdup(project->model->arena, dr_buffer_text(&out)) : NULL;

    if (!made)
        return (struct compose_text){ .text = "", .unknown = "a value that is too long" };
    return (struct compose_text){ .text = made, .unknown = filling.unknown };
}

struct compose_text dr_compose_fill(const struct compose_project *project, const struct traefik_node *node)
{
    return dr_compose_fill_text(project, node ? node->file : NULL, node && node->type == TRAEFIK_SCALAR ? node->text : NULL);
}
