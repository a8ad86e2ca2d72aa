#include "facts/users.h"

#include "base/file.h"

#include <string.h>

enum { MOST_BYTES = 4 * 1024 * 1024, PASSWD_FIELDS = 7, GROUP_FIELDS = 4 };

/* Calls `row` with the fields of each line of a colon-separated file, until it returns true. */
typedef bool row_function(char *const *fields, void *state);

static int each_row(struct dr_context *context, const char *path, size_t field_count, row_function *row, void *state)
{
    _cleanup_buffer_ struct dr_buffer text = DR_BUFFER(MOST_BYTES);
    int r = dr_read_file(context->request->root_fd, path, &text, NULL);
    char *rest = text.data;
    char *line;

    if (r < 0)
        return r == -ENOENT ? 0 : r;
    while (rest && (line = strsep(&rest, "\n"))) {
        char *fields[PASSWD_FIELDS];
        size_t count = 0;

        while (line && count < field_count)
            fields[count++] = strsep(&line, ":");
        if (count == field_count && row(fields, state))
            return 1;
    }
    return 0;
}

static bool parse_id(const char *text, uint32_t *ret_id)
{
    char *end;

    if (text[0] < '0' || text[0] > '9')
        return false;
    errno = 0;
    unsigned long id = strtoul(text, &end, 10);

    if (errno != 0 || *end != '\0' || id > UINT32_MAX)
        return false;
    *ret_id = (uint32_t)id;
    return true;
}

struct user_search {
    struct dr_context *context;
    const char *name; /* NULL: by uid */
    uint32_t uid;
    struct dr_user *found;
};

static bool match_user(char *const *fields, void *state)
{
    struct user_search *search = state;
    uint32_t uid;
    uint32_t gid;

    if (!parse_id(fields[2], &uid) || !parse_id(fields[3], &gid))
        return false;
    if (search->name ? strcmp(search->name, fields[0]) != 0 : search->uid != uid)
        return false;
    *search->found = (struct dr_user){
        .name = dr_strdup(search->context, fields[0]),
        .uid = uid,
        .gid = gid,
        .home = dr_strdup(search->context, fields[5]),
    };
    return true;
}

int dr_user_by_uid(struct dr_context *context, uint32_t uid, struct dr_user *ret_user)
{
    struct user_search search = { .context = context, .uid = uid, .found = ret_user };

    return each_row(context, "/etc/passwd", PASSWD_FIELDS, match_user, &search);
}

int dr_user_by_name(struct dr_context *context, const char *name, struct dr_user *ret_user)
{
    struct user_search search = { .context = context, .name = name, .found = ret_user };

    return each_row(context, "/etc/passwd", PASSWD_FIELDS, match_user, &search);
}

const char *dr_user_name(struct dr_context *context, uint32_t uid)
{
    struct dr_user user;

    return dr_user_by_uid(context, uid, &user) > 0 ? user.name : dr_format(context, "uid %u", uid);
}

struct group_search {
    struct dr_context *context;
    uint32_t gid;
    const char *member; /* NULL: looks for the name */
    const char *name;
};

static bool names_member(char *members, const char *member)
{
    char *rest = members;
    char *name;

    while ((name = strsep(&rest, ",")))
        if (strcmp(name, member) == 0)
            return true;
    return false;
}

static bool match_group(char *const *fields, void *state)
{
    struct group_search *search = state;
    uint32_t gid;

    if (!parse_id(fields[2], &gid) || gid != search->gid)
        return false;
    if (search->member)
        return names_member(fields[3], search->member);
    search->name = dr_strdup(search->context, fields[0]);
    return true;
}

const char *dr_group_name(struct dr_context *context, uint32_t gid)
{
    struct group_search search = { .context = context, .gid = gid };

    return each_row(context, "/etc/group", GROUP_FIELDS, match_group, &search) > 0 ? search.name
                                                                                   : dr_format(context, "gid %u", gid);
}

bool dr_user_in_group(struct dr_context *context, uint32_t uid, uint32_t gid)
{
    struct dr_user user;

    if (dr_user_by_uid(context, uid, &user) <= 0)
        return false;
    if (user.gid == gid)
        return true;

    struct group_search search = { .context = context, .gid = gid, .member = user.name };

    return each_row(context, "/etc/group", GROUP_FIELDS, match_group, &search) > 0;
}

struct others_search {
    uint32_t gid, uid;
    const char *name; /* of uid; "" when it has none */
};

static bool match_other_member(char *const *fields, void *state)
{
    const struct others_search *search = state;
    char *rest = fields[3];
    char *name;
    uint32_t gid;

    if (!parse_id(fields[2], &gid) || gid != search->gid)
        return false;
    while ((name = strsep(&rest, ",")))
        if (name[0] != '\0' && strcmp(name, search->name) != 0)
            return true;
    return false;
}

static bool match_other_primary(char *const *fields, void *state)
{
    const struct others_search *search = state;
    uint32_t uid;
    uint32_t gid;

    return parse_id(fields[2], &uid) && parse_id(fields[3], &gid) && gid == search->gid && uid != search->uid;
}

bool dr_group_has_others(struct dr_context *context, uint32_t gid, uint32_t uid)
{
    struct dr_user user;
    struct others_search search = { .gid = gid, .uid = uid, .name = "" };

    if (dr_user_by_uid(context, uid, &user) > 0)
        search.name = user.name;
    return each_row(context, "/etc/passwd", PASSWD_FIELDS, match_other_primary, &search) != 0 ||
           each_row(context, "/etc/group", GROUP_FIELDS, match_other_member, &search) != 0;
}
