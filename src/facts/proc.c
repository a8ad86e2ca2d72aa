#include "facts/proc.h"

#include "base/file.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_STAT = 4096, MOST_ENVIRONMENT = 2 * 1024 * 1024, START_TIME_FIELD = 22 };

static const char *proc_path(struct dr_context *context, long pid, const char *name)
{
    return dr_format(context, "%s/%ld/%s", context->request->proc, pid, name);
}

/* A process that ends between two reads answers with either of these. */
static int gone(int code)
{
    return code == -ENOENT ? -ESRCH : code;
}

/* "pid (comm) state ...": comm may itself hold spaces and parentheses, so the last one counts. */
static int parse_stat(struct dr_context *context, const char *text, struct dr_process *process)
{
    const char *open = strchr(text, '(');
    const char *close = strrchr(text, ')');

    if (!open || !close || close < open)
        return -EINVAL;
    process->title = dr_strndup(context, open + 1, (size_t)(close - open - 1));

    const char *at = close + 1;

    for (int field = 3; field <= START_TIME_FIELD; field++) {
        at += strspn(at, " ");
        if (*at == '\0')
            return -EINVAL;
        if (field == START_TIME_FIELD)
            process->start_ticks = strtoull(at, NULL, 10);
        at += strcspn(at, " ");
    }
    return 0;
}

int dr_process_read(struct dr_context *context, long pid, struct dr_process *ret_process)
{
    _cleanup_buffer_ struct dr_buffer buffer = DR_BUFFER(MOST_STAT);
    const char *folder = dr_format(context, "%s/%ld", context->request->proc, pid);
    struct dr_process process = { .pid = pid };
    struct stat st;
    int r = dr_stat(AT_FDCWD, folder, &st);

    if (r < 0)
        return gone(r);
    process.uid = st.st_uid;
    r = dr_read_file(AT_FDCWD, proc_path(context, pid, "stat"), &buffer, NULL);
    if (r < 0)
        return gone(r);
    r = parse_stat(context, dr_buffer_text(&buffer), &process);
    if (r < 0)
        return r;
    *ret_process = process;
    return 0;
}

int dr_process_variable(struct dr_context *context, long pid, const char *name, const char **ret_value)
{
    _cleanup_buffer_ struct dr_buffer buffer = DR_BUFFER(MOST_ENVIRONMENT);
    size_t name_length = strlen(name);
    int r = dr_read_file(AT_FDCWD, proc_path(context, pid, "environ"), &buffer, NULL);

    if (r < 0)
        return gone(r);
    const char *end = buffer.data + buffer.length;

    for (const char *at = buffer.data; at && at < end;) {
        size_t length = strnlen(at, (size_t)(end - at));

        if (length > name_length && at[name_length] == '=' && memcmp(at, name, name_length) == 0) {
            *ret_value = dr_strndup(context, at + name_length + 1, length - name_length - 1);
            return 0;
        }
        at += length + 1;
    }
    return -ENOENT;
}

int dr_process_link(struct dr_context *context, long pid, const char *link, const char **ret_target)
{
    _cleanup_free_ char *target = NULL;
    int r = dr_read_link(AT_FDCWD, proc_path(context, pid, link), &target);

    if (r < 0)
        return gone(r);
    *ret_target = dr_strdup(context, target);
    return 0;
}
