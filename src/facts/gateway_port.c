/*
 * Who listens on the gateway's port. A listener alone does not say whose state it serves: the process must look like OpenClaw, and its
 * own home must be this one. What cannot be looked at (no right to see its descriptors) is "could not tell".
 */
#include "facts/gateway_evidence.h"

#include "base/file.h"
#include "base/text.h"
#include "facts/proc.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

enum { MOST_SOCKETS = 16 * 1024 * 1024, LISTENING = 10, MOST_PROCESSES = 100 * 1000 };

struct listener {
    unsigned long inode;
    unsigned uid;
};

static bool parse_line(const char *line, unsigned port, struct listener *ret_listener)
{
    unsigned local_port, state, uid;
    unsigned long inode;

    if (sscanf(line, " %*[^:]: %*[0-9A-Fa-f]:%x %*[0-9A-Fa-f]:%*x %x %*s %*s %*s %u %*d %lu", &local_port, &state, &uid,
               &inode) != 4 ||
        local_port != port || state != LISTENING)
        return false;
    *ret_listener = (struct listener){ .inode = inode, .uid = uid };
    return true;
}

static bool find_listener(struct dr_context *context, unsigned port, struct listener *ret_listener)
{
    static const char *const tables[] = { "tcp", "tcp6" };

    for (size_t i = 0; i < DR_COUNT(tables); i++) {
        _cleanup_buffer_ struct dr_buffer text = DR_BUFFER(MOST_SOCKETS);

        if (dr_read_file(AT_FDCWD, dr_format(context, "%s/net/%s", context->request->proc, tables[i]), &text, NULL) < 0)
            continue;
        for (const char *line = dr_buffer_text(&text); line && *line; line = strchr(line, '\n')) {
            line += *line == '\n';
            if (parse_line(line, port, ret_listener))
                return true;
        }
    }
    return false;
}

static bool holds_socket(const char *descriptors, const char *socket)
{
    _cleanup_closedir_ DIR *dir = opendir(descriptors);
    char target[64];

    for (const struct dirent *entry; dir && (entry = readdir(dir));) {
        ssize_t length = readlinkat(dirfd(dir), entry->d_name, target, sizeof(target) - 1);

        if (length <= 0)
            continue;
        target[length] = '\0';
        if (strcmp(target, socket) == 0)
            return true;
    }
    return false;
}

/* The process that holds the listener's socket; 0 when none that we may look at does. */
static long find_process(struct dr_context *context, const struct listener *listener)
{
    _cleanup_closedir_ DIR *dir = opendir(context->request->proc);
    long kept = dr_process_of_socket(context, listener->inode);
    char socket[64];
    const struct dirent *entry;

    if (kept)
        return kept;
    (void)snprintf(socket, sizeof(socket), "socket:[%lu]", listener->inode);
    for (unsigned i = 0; dir && i < MOST_PROCESSES && (entry = readdir(dir)); i++) {
        _cleanup_free_ char *descriptors = NULL;

        if (!isdigit((unsigned char)entry->d_name[0]))
            continue;
        if (asprintf(&descriptors, "%s/%s/fd", context->request->proc, entry->d_name) < 0) {
            descriptors = NULL;
            return 0;
        }
        if (holds_socket(descriptors, socket))
            return strtol(entry->d_name, NULL, 10);
    }
    return 0;
}

/* The state directory that a process would use by its own environment; NULL when that cannot be read. */
static const char *state_of(struct dr_context *context, long pid)
{
    const char *state, *home;

    if (dr_process_variable(context, pid, "OPENCLAW_STATE_DIR", &state) == 0)
        return state;
    if (dr_process_variable(context, pid, "OPENCLAW_HOME", &home) < 0 &&
        dr_process_variable(context, pid, "HOME", &home) < 0)
        return NULL;
    return home;
}

static bool serves_another(struct dr_context *context, const struct dr_target *target, long pid)
{
    const char *state = state_of(context, pid);

    return state && !dr_path_is_below(target->state_dir, state);
}

void dr_gateway_from_port(struct dr_context *context, const struct dr_target *target, unsigned port,
                          struct dr_gateway_evidence *ret_evidence)
{
    struct listener listener;
    struct dr_process process;

    *ret_evidence = (struct dr_gateway_evidence){ .state = DR_ABSENT };
    if (!find_listener(context, port, &listener))
        return;
    /* Another user's program: not this state's gateway, unless root runs it. */
    if (listener.uid != target->uid && listener.uid != 0)
        return;
    long pid = find_process(context, &listener);

    if (pid == 0) {
        ret_evidence->state = DR_UNKNOWN;
        ret_evidence->uid = listener.uid;
        ret_evidence->how = dr_format(context, "a program of uid %u listens on port %u, and which one cannot be looked at",
                                      listener.uid, port);
        return;
    }
    if (dr_process_read(context, pid, &process) < 0 || !dr_gateway_looks_like(context, pid, process.title) ||
        serves_another(context, target, pid))
        return;
    *ret_evidence = (struct dr_gateway_evidence){
        .state = DR_KNOWN,
        .pid = pid,
        .uid = process.uid,
        .how = dr_format(context, "process %ld (%s) listens on port %u", pid, process.title, port),
    };
}
