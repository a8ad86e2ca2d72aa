/*
 * Which of the requests below a path a prefix, a Location, a pattern takes. Regular expressions are not carried out: they are a plain
 * prefix, or all that is known is how they begin. APACHE_SOME is the answer whenever it is not certain.
 */
#include "format/apache_internal.h"

#include <string.h>
#include <strings.h>

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

/* alias_match of mod_proxy: runs of slashes are one; "/a" takes "/a" and "/a/b", not "/ab". */
enum apache_cover apache_alias_covers(const char *alias, const char *path)
{
    const char *a = alias, *p = path;

    if (*a == '\0')
        return APACHE_NONE;
    while (*a && *p) {
        if (*a == '/') {
            if (*p != '/')
                return APACHE_NONE;
            a += strspn(a, "/");
            p += strspn(p, "/");
        } else if (*a++ != *p++) {
            return APACHE_NONE;
        }
    }
    if (*a)
        return APACHE_SOME;
    return a[-1] == '/' || *p == '\0' || *p == '/' ? APACHE_ALL : APACHE_NONE;
}

static enum apache_cover prefix_covers(const char *prefix, const char *path)
{
    if (begins(path, prefix))
        return APACHE_ALL;
    return begins(prefix, path) ? APACHE_SOME : APACHE_NONE;
}

size_t apache_section_word(const struct apache_node *section)
{
    return strcmp(apache_arg(section, 0), "~") == 0 ? 1 : 0;
}

const char *apache_section_regex(const struct apache_node *section)
{
    size_t length = strlen(section->name);
    bool match = length > 5 && strcasecmp(section->name + length - 5, "Match") == 0;
    size_t word = apache_section_word(section);

    return match || word > 0 ? apache_arg(section, word) : NULL;
}

enum apache_cover apache_location_covers(const struct apache_node *section, const char *path)
{
    const char *regex = apache_section_regex(section);
    const char *own = apache_arg(section, 0);
    size_t length = strlen(own), literal = strcspn(own, "*?[");

    if (regex)
        return apache_regex_covers(regex, path);
    if (literal < length) {
        size_t common = literal < strlen(path) ? literal : strlen(path);

        return strncmp(own, path, common) == 0 ? APACHE_SOME : APACHE_NONE;
    }
    if (length == 0)
        return APACHE_NONE;
    if (begins(path, own) && (own[length - 1] == '/' || path[length] == '/' || path[length] == '\0'))
        return APACHE_ALL;
    /* <Location /app/> and what is handed on from /app: only "/app" itself is left out. */
    if (begins(own, path) && strcmp(own + strlen(path), "/") == 0)
        return APACHE_ALL;
    return begins(own, path) ? APACHE_SOME : APACHE_NONE;
}

enum apache_cover apache_proxy_covers(const struct apache_node *section, const char *url)
{
    const char *regex = apache_section_regex(section);
    const char *own = apache_arg(section, 0);
    size_t literal = strcspn(own, "*?[");
    size_t common = literal < strlen(url) ? literal : strlen(url);

    if (regex)
        return apache_regex_covers(regex, url);
    if (own[literal] == '\0')
        return prefix_covers(own, url);
    if (strncmp(own, url, common) != 0)
        return APACHE_NONE;
    return strcmp(own + literal, "*") == 0 && common == literal ? APACHE_ALL : APACHE_SOME;
}

/* --- regular expressions ------------------------------------------------------------------------------------------------ */

/* A byte that stands for itself at `at`; *ret_length bytes of the pattern spell it. -1: none does. */
static int literal_at(const char *at, size_t *ret_length)
{
    int c;

    if (*at == '\0' || strchr("^$.[]|()*+?{}", *at))
        return -1;
    *ret_length = 1;
    c = (unsigned char)*at;
    if (*at == '\\') {
        if (at[1] == '\0' || (at[1] >= '0' && at[1] <= '9') || (at[1] >= 'A' && at[1] <= 'Z') ||
            (at[1] >= 'a' && at[1] <= 'z'))
            return -1;
        c = (unsigned char)at[1];
        *ret_length = 2;
    }
    return at[*ret_length] && strchr("*+?{", at[*ret_length]) ? -1 : c;
}

/* What is left of a pattern takes anything. Groups are looked through. */
static bool takes_all(const char *rest)
{
    static const char *const ends[] = { "", ".*", ".*$", "/?.*", "/?.*$", "/?", ".*?", ".*?$" };
    char plain[16];
    size_t length = 0;

    for (; *rest && length + 1 < sizeof(plain); rest++)
        if (*rest != '(' && *rest != ')')
            plain[length++] = *rest;
    plain[length] = '\0';
    for (size_t i = 0; *rest == '\0' && i < DR_COUNT(ends); i++)
        if (strcmp(plain, ends[i]) == 0)
            return true;
    return false;
}

/* As apache_regex_prefix; "" is what takes anything, also nothing. */
static const char *regex_prefix(struct dr_arena *arena, const char *regex, const char **ret_beginning)
{
    bool anchored = *regex == '^', plain = !strchr(regex, '|') && !strstr(regex, "(?");
    char *text = dr_arena_alloc(arena, strlen(regex) + 2);
    size_t count = 0, length;
    const char *at = regex + anchored;
    int c;

    *ret_beginning = NULL;
    if (!text)
        return NULL;
    while (plain) {
        if (*at == '(' && at[1] != '?') {
            at++;
            continue;
        }
        c = literal_at(at, &length);
        if (c < 0)
            break;
        text[count++] = (char)c;
        at += length;
    }
    if (anchored)
        *ret_beginning = text;
    if (!plain || !takes_all(at))
        return !anchored && strcmp(regex, ".") == 0 ? "/" : NULL;
    /* What is not tied to the beginning takes all only when it is found in every path. */
    if (!anchored && (count > 1 || (count == 1 && text[0] != '/')))
        return NULL;
    return text;
}

const char *apache_regex_prefix(struct dr_arena *arena, const char *regex, const char **ret_beginning)
{
    const char *prefix = regex_prefix(arena, regex, ret_beginning);

    return prefix && *prefix == '\0' ? "/" : prefix;
}

enum apache_cover apache_regex_covers(const char *regex, const char *path)
{
    struct dr_arena arena = DR_ARENA((size_t)4 << 20);
    const char *beginning;
    const char *prefix = regex_prefix(&arena, regex, &beginning);
    enum apache_cover cover = APACHE_SOME;

    if (prefix && (beginning || begins(path, prefix)))
        cover = prefix_covers(prefix, path);
    else if (beginning && !begins(path, beginning) && !begins(beginning, path))
        cover = APACHE_NONE;
    dr_arena_release(&arena);
    return cover;
}
