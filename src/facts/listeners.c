#include "api/listeners.h"

#include "api/target.h"
#include "base/file.h"
#include "base/text.h"
#include "facts/gateway_evidence.h"
#include "facts/listening.h"
#include "facts/proc.h"
#include "facts/socket_owner.h"
#include "facts/sockets.h"
#include "facts/users.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_LISTENERS = 64, MOST_PEERS = 256, MOST_COMMAND_LINE = 64 * 1024, SHOWN_COMMAND_LINE = 400 };

/* What was asked so far, one for each port. */
struct dr_listeners_kept {
    struct dr_listeners listeners;
    struct dr_peers peers;
    unsigned port;
    struct dr_listeners_kept *next;
};

static struct dr_listeners_kept *kept_for(struct dr_context *context, unsigned port)
{
    struct dr_listeners_kept *kept = context->listeners;

    while (kept && kept->port != port)
        kept = kept->next;
    if (!kept) {
        kept = dr_alloc(context, sizeof(*kept));
        kept->port = kept->listeners.port = kept->peers.port = port;
        kept->next = context->listeners;
        context->listeners = kept;
    }
    return kept;
}

/* --- who listens -------------------------------------------------------------------------------------------------------- */

static const char *address_text(struct dr_context *context, const struct dr_address *address)
{
    char text[DR_ADDRESS_TEXT];

    return dr_strdup(context, dr_address_text(address, text));
}

static bool is_any(const struct dr_address *address)
{
    static const unsigned char zero[16];

    return memcmp(address->bytes, zero, address->family == 4 ? 4 : 16) == 0;
}

/* "--token", "--auth-token", "--password=": the value is a secret, wherever the line is shown. */
static bool names_secret(const char *word)
{
    return word[0] == '-' && (strcasestr(word, "token") || strcasestr(word, "password") || strcasestr(word, "secret") ||
                              strcasestr(word, "key"));
}

static void keep_secrets(struct dr_context *context, const char *words, size_t length)
{
    bool is_next = false;

    for (size_t at = 0; at < length; at += strlen(words + at) + 1) {
        const char *equals = strchr(words + at, '=');

        if (is_next && words[at] != '-')
            dr_secret_known(context, words + at);
        is_next = names_secret(words + at) && !equals;
        if (names_secret(words + at) && equals)
            dr_secret_known(context, equals + 1);
    }
}

static const char *command_line_of(struct dr_context *context, long pid)
{
    _cleanup_buffer_ struct dr_buffer words = DR_BUFFER(MOST_COMMAND_LINE);
    _cleanup_buffer_ struct dr_buffer safe = DR_BUFFER(4 * MOST_COMMAND_LINE);

    if (dr_read_file(AT_FDCWD, dr_format(context, "%s/%ld/cmdline", context->request->proc, pid), &words, NULL) < 0 ||
        words.length == 0)
        return NULL;
    keep_secrets(context, words.data, words.length);
    for (size_t i = 0; i + 1 < words.length; i++)
        if (words.data[i] == '\0')
            words.data[i] = ' ';

    size_t length = strlen(words.data);

    if (dr_text_append_safe(&safe, words.data, length) < 0)
        return NULL;
    return safe.length > SHOWN_COMMAND_LINE ? dr_format(context, "%.*s...", SHOWN_COMMAND_LINE, dr_buffer_text(&safe))
                                            : dr_strdup(context, dr_buffer_text(&safe));
}

static void look_at_process(struct dr_context *context, struct dr_listener *listener)
{
    const struct dr_target *target = dr_target(context);
    struct dr_process process;

    listener->pid = dr_socket_owner(context, listener->inode);
    if (listener->pid == 0 || dr_process_read(context, listener->pid, &process) < 0)
        return;
    listener->program = process.title;
    listener->command_line = command_line_of(context, listener->pid);
    listener->is_openclaw = dr_gateway_looks_like(context, listener->pid, process.title);
    if (!listener->is_openclaw) {
        listener->ours_known = true;
        return;
    }
    int serves = target->state_dir ? dr_gateway_serves(context, target, listener->pid) : -ENODATA;

    listener->ours_known = serves >= 0;
    listener->ours = serves == 1;
}

struct gathering {
    struct dr_context *context;
    struct dr_listener *list;
    size_t count;
};

static void take_listener(const struct dr_socket *socket, void *state)
{
    struct gathering *gathering = state;

    for (size_t i = 0; i < gathering->count; i++)
        if (gathering->list[i].inode == socket->inode)
            return;
    if (gathering->count == MOST_LISTENERS)
        return;
    gathering->list[gathering->count++] = (struct dr_listener){
        .address = address_text(gathering->context, &socket->local),
        .number = socket->local,
        .port = socket->local_port,
        .any = is_any(&socket->local),
        .v6_only = socket->v6_only,
        .uid = socket->uid,
        .user = dr_user_name(gathering->context, socket->uid),
        .inode = socket->inode,
        .waiting = socket->waiting,
    };
}

/* The kernel lists sockets as its hashes fall: two looks at the same host would say the same in two ways. */
static int by_address(const void *a, const void *b)
{
    const struct dr_listener *one = a, *other = b;
    int order = (int)one->number.family - (int)other->number.family;

    if (order == 0)
        order = memcmp(one->number.bytes, other->number.bytes, sizeof(one->number.bytes));
    return order != 0 ? order : (one->inode > other->inode) - (one->inode < other->inode);
}

static bool cannot_be_seen(struct dr_context *context, struct dr_fact *fact)
{
    if (!context->request->root)
        return false;
    fact->state = DR_UNKNOWN;
    fact->reason = "the sockets of another system cannot be seen from here (--root)";
    return true;
}

static void settle(struct dr_context *context, struct dr_fact *fact, int r)
{
    fact->state = r < 0 ? DR_UNKNOWN : DR_KNOWN;
    fact->reason = r < 0 ? dr_format(context, "the kernel does not list its sockets: %s", dr_errno_text(r)) : NULL;
}

const struct dr_listeners *dr_listeners(struct dr_context *context, unsigned port)
{
    struct dr_listeners *listeners = &kept_for(context, port)->listeners;
    struct gathering gathering = { .context = context };

    if (listeners->fact.state != DR_NOT_LOOKED || cannot_be_seen(context, &listeners->fact))
        return listeners;
    gathering.list = dr_alloc(context, MOST_LISTENERS * sizeof(*gathering.list));
    int r = dr_sockets_each(context, port, DR_SOCKET_LISTENING, take_listener, &gathering);

    settle(context, &listeners->fact, r);
    qsort(gathering.list, gathering.count, sizeof(*gathering.list), by_address);
    for (size_t i = 0; i < gathering.count; i++)
        look_at_process(context, &gathering.list[i]);
    listeners->list = gathering.list;
    listeners->count = gathering.count;
    return listeners;
}

static bool takes(const struct dr_listener *listener, const struct dr_address *address)
{
    if (!listener->any)
        return listener->number.family == address->family &&
               memcmp(listener->number.bytes, address->bytes, sizeof(address->bytes)) == 0;
    return listener->number.family == address->family || (listener->number.family == 6 && !listener->v6_only);
}

const struct dr_listener *dr_listener_at(const struct dr_listeners *listeners, const struct dr_address *address)
{
    const struct dr_listener *any = NULL;

    for (size_t i = 0; i < listeners->count; i++) {
        const struct dr_listener *listener = &listeners->list[i];

        if (!takes(listener, address))
            continue;
        if (!listener->any)
            return listener; /* the kernel prefers the exact address */
        if (!any || listener->number.family == address->family)
            any = listener;
    }
    return any;
}

struct asking {
    const struct dr_address *address;
    bool met;
};

static void ask_listener(const struct dr_socket *socket, void *state)
{
    struct asking *asking = state;
    const struct dr_listener listener = { .number = socket->local,
                                          .any = is_any(&socket->local),
                                          .v6_only = socket->v6_only };

    asking->met |= takes(&listener, asking->address);
}

int dr_listening_at(struct dr_context *context, const struct dr_address *address, unsigned port)
{
    struct asking asking = { .address = address };
    int r = context->request->root ? -ENODATA : dr_sockets_each(context, port, DR_SOCKET_LISTENING, ask_listener, &asking);

    return r < 0 ? r : asking.met;
}

/* --- who is connected --------------------------------------------------------------------------------------------------- */

struct peers {
    struct dr_address *list;
    unsigned *connections;
    size_t count;
};

static void take_peer(const struct dr_socket *socket, void *state)
{
    struct peers *peers = state;

    for (size_t i = 0; i < peers->count; i++)
        if (memcmp(&peers->list[i], &socket->remote, sizeof(socket->remote)) == 0) {
            peers->connections[i]++;
            return;
        }
    if (peers->count == MOST_PEERS)
        return;
    peers->connections[peers->count] = 1;
    peers->list[peers->count++] = socket->remote;
}

const struct dr_peers *dr_peers(struct dr_context *context, unsigned port)
{
    struct dr_peers *result = &kept_for(context, port)->peers;
    struct peers peers = { .count = 0 };

    if (result->fact.state != DR_NOT_LOOKED || cannot_be_seen(context, &result->fact))
        return result;
    peers.list = dr_alloc(context, MOST_PEERS * sizeof(*peers.list));
    peers.connections = dr_alloc(context, MOST_PEERS * sizeof(*peers.connections));
    settle(context, &result->fact, dr_sockets_each(context, port, DR_SOCKET_ESTABLISHED, take_peer, &peers));
    result->list = peers.list;
    result->connections = peers.connections;
    result->count = peers.count;
    return result;
}
