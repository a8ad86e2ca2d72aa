#include "facts/gateway_evidence.h"

#include "api/config.h"
#include "base/file.h"
#include "base/hash.h"
#include "facts/proc.h"
#include "facts/socket_owner.h"
#include "facts/sockets.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

enum { DEFAULT_PORT = 18789, MOST_COMMAND_LINE = 64 * 1024, MOST_OWNERS_ASKED = 32 };

const char *dr_gateway_hash(struct dr_context *context, const char *text)
{
    char hex[DR_SHA256_HEX];

    return dr_sha256_hex(text, strlen(text), hex) < 0 ? NULL : dr_strndup(context, hex, 8);
}

/* "node .../openclaw.mjs gateway run", "/usr/bin/openclaw gateway", "node .../openclaw/dist/entry.js": an argument names the program. */
static bool names_openclaw(const char *argument)
{
    const char *slash = strrchr(argument, '/');
    const char *name = slash ? slash + 1 : argument;

    return strcmp(name, "openclaw") == 0 || strcmp(name, "openclaw.mjs") == 0 || strstr(argument, "/openclaw/dist/");
}

bool dr_gateway_looks_like(struct dr_context *context, long pid, const char *title)
{
    _cleanup_buffer_ struct dr_buffer line = DR_BUFFER(MOST_COMMAND_LINE);
    const char *path = dr_format(context, "%s/%ld/cmdline", context->request->proc, pid);

    /* A title has at most 15 characters. "openclaw-doctor" is ourselves. */
    if (strcmp(title, "openclaw") == 0 || strcmp(title, "openclaw-gatewa") == 0)
        return true;
    if (dr_read_file(AT_FDCWD, path, &line, NULL) < 0)
        return false;
    for (size_t at = 0; at < line.length; at += strlen(line.data + at) + 1)
        if (names_openclaw(line.data + at))
            return true;
    return false;
}

static unsigned port_of(const char *text)
{
    char *end;
    unsigned long port = strtoul(text, &end, 10);

    return *end == '\0' && port > 0 && port < 65536 ? (unsigned)port : 0;
}

/* OPENCLAW_GATEWAY_PORT, else gateway.port, else the default. */
static void read_ports(struct dr_context *context, struct dr_gateway *gateway)
{
    const char *from_environment = dr_environment(context, "OPENCLAW_GATEWAY_PORT");
    struct dr_config_value value;

    if (from_environment && *from_environment) {
        gateway->environment_port = port_of(from_environment);
        if (gateway->environment_port == 0) {
            gateway->odd_port = from_environment;
            gateway->odd_port_name = "OPENCLAW_GATEWAY_PORT";
        }
    }
    if (dr_config_lookup(dr_config(context), "gateway.port", &value) == 1 && value.text) {
        bool is_text = value.type == DR_VALUE_STRING;

        gateway->file_port = port_of(value.text);
        gateway->file_source = value.source;
        if ((gateway->file_port == 0 || is_text) && !gateway->odd_port) {
            gateway->odd_port = value.text;
            gateway->odd_port_name = "gateway.port";
            gateway->odd_port_quoted = is_text;
        }
    }
    gateway->configured_port = gateway->environment_port ? gateway->environment_port
                               : gateway->file_port      ? gateway->file_port
                                                         : DEFAULT_PORT;
    gateway->configured_from = gateway->environment_port ? "OPENCLAW_GATEWAY_PORT"
                               : gateway->file_port      ? "gateway.port"
                                                         : "the default";
}

/* The strongest answer wins; a lock that a killed gateway left is told in any case. */
static void weigh(struct dr_gateway *gateway, const struct dr_gateway_evidence *evidence)
{
    bool stronger = evidence->state == DR_KNOWN ? gateway->fact.state != DR_KNOWN
                                                : evidence->state == DR_UNKNOWN && gateway->fact.state == DR_ABSENT;

    if (evidence->stale_lock && !gateway->stale_lock)
        gateway->stale_lock = evidence->stale_lock;
    if (!stronger)
        return;
    gateway->fact.state = evidence->state;
    gateway->fact.reason = evidence->state == DR_UNKNOWN ? evidence->how : NULL;
    gateway->pid = evidence->pid;
    gateway->uid = evidence->uid;
    gateway->how = evidence->how;
    if (evidence->port) {
        gateway->port = gateway->locked_port = evidence->port;
        gateway->port_from = "the running gateway's lock";
    }
}

/* Another machine's files: its processes and sockets cannot be seen from here. */
static bool is_elsewhere(const struct dr_target *target)
{
    return target->root != NULL;
}

struct own_ports {
    struct dr_context *context;
    long pid;
    unsigned lowest;
    uint32_t uid; /* of the process */
    unsigned asked; /* owners that were asked for beyond those that are kept */
};

/* On a host with many Node processes not all are kept (facts/proc.h); a few more may be asked for. */
static bool is_own(struct own_ports *ports, const struct dr_socket *socket)
{
    long kept = dr_process_of_socket(ports->context, socket->inode);

    if (kept || socket->uid != ports->uid || ports->asked == MOST_OWNERS_ASKED)
        return kept == ports->pid;
    ports->asked++;
    return dr_socket_is_held_by(ports->context, socket->inode, ports->pid);
}

static void note_port(const struct dr_socket *socket, void *state)
{
    struct own_ports *ports = state;

    if ((ports->lowest == 0 || socket->local_port < ports->lowest) && is_own(ports, socket))
        ports->lowest = socket->local_port;
}

static void note_taken(const struct dr_socket *socket, void *state)
{
    (void)socket;
    *(bool *)state = true;
}

/*
 * A lock of 2026.2 does not name the port. Where nobody listens on the configured one, the gateway's own sockets tell: its other services
 * listen a few ports above.
 */
static void find_real_port(struct dr_context *context, struct dr_gateway *gateway)
{
    struct own_ports ports = { .context = context, .pid = gateway->pid, .uid = gateway->uid };
    bool taken = false;

    if (gateway->locked_port || gateway->pid <= 0 ||
        dr_sockets_each(context, gateway->port, DR_SOCKET_LISTENING, note_taken, &taken) < 0 || taken ||
        dr_sockets_each(context, 0, DR_SOCKET_LISTENING, note_port, &ports) < 0 || ports.lowest == 0)
        return;
    gateway->port = gateway->locked_port = ports.lowest;
    gateway->port_from = "the running gateway's own socket";
}

static void look_at_process(struct dr_context *context, struct dr_gateway *gateway)
{
    struct dr_process process;

    gateway->runs_for_ms = -1;
    if (gateway->pid <= 0 || dr_process_read(context, gateway->pid, &process) < 0)
        return;
    gateway->process_state = process.state;
    gateway->runs_for_ms = dr_process_age_ms(context, &process);
}

/* Its lock and its port come late in a start: 10 of 12 s with 2026.2.19, 15 of 20 s with 2026.9.6. */
static void find_starting(struct dr_context *context, const struct dr_target *target, struct dr_gateway *gateway)
{
    for (long pid = dr_process_next_script(context, 0); pid > 0; pid = dr_process_next_script(context, pid)) {
        struct dr_process process;

        if (dr_process_read(context, pid, &process) < 0 || !dr_gateway_looks_like(context, pid, process.title) ||
            dr_gateway_serves(context, target, pid) != 1)
            continue;
        int64_t age = dr_process_age_ms(context, &process);

        if (age < 0 || age >= DR_GATEWAY_STARTS_WITHIN_MS || (gateway->starting_pid && age <= gateway->starting_for_ms))
            continue;
        gateway->starting_pid = pid;
        gateway->starting_for_ms = age;
    }
}

static void gather(struct dr_context *context, const struct dr_target *target, struct dr_gateway *gateway)
{
    struct dr_gateway_evidence evidence;

    gateway->fact.state = DR_ABSENT;
    read_ports(context, gateway);
    gateway->port = gateway->configured_port;
    gateway->port_from = gateway->configured_from;
    dr_gateway_from_lock_files(context, target, &evidence);
    weigh(gateway, &evidence);
    if (gateway->fact.state == DR_ABSENT && !is_elsewhere(target)) {
        dr_gateway_from_posix_locks(context, target, &evidence);
        weigh(gateway, &evidence);
    }
    if (gateway->fact.state == DR_ABSENT && !is_elsewhere(target)) {
        dr_gateway_from_port(context, target, gateway->port, &evidence);
        weigh(gateway, &evidence);
    }
    if (!is_elsewhere(target)) {
        look_at_process(context, gateway);
        find_real_port(context, gateway);
    }
    if (gateway->fact.state != DR_ABSENT)
        return;
    if (!is_elsewhere(target))
        find_starting(context, target, gateway);
    gateway->fact.reason = is_elsewhere(target) ? "no lock file; whether one runs on that machine cannot be seen from here"
                                                : "no lock, and nobody listens on its port";
    gateway->how = gateway->fact.reason;
}

const struct dr_gateway *dr_gateway(struct dr_context *context)
{
    const struct dr_target *target;

    if (context->gateway)
        return context->gateway;
    context->gateway = dr_alloc(context, sizeof(*context->gateway));
    target = dr_target(context);
    if (target->state_dir && target->fact.state == DR_KNOWN) {
        gather(context, target, context->gateway);
    } else {
        context->gateway->fact.state = DR_ABSENT;
        context->gateway->fact.reason = context->gateway->how = "there is no state directory";
    }
    return context->gateway;
}
