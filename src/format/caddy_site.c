/*
 * Which addresses a site listens on, under which names, and whether clients speak TLS there: httpcaddyfile/addresses.go and httptype.go,
 * and the first phase of automatic HTTPS (caddyhttp/autohttps.go), all v2.6.2.
 *
 * TLS is a property of a listening address, not of a site: it is on when any of the sites there asks for it. "localhost" and IP addresses
 * get it, too (from caddy's own certificate authority); http://, a port alone and the HTTP port do not.
 */
#include "format/caddy_internal.h"

#include <stdlib.h>
#include <string.h>

struct seat { /* one address of a site on one listening address */
    size_t site; /* index */
    const struct caddy_token *key;
    struct caddy_address address;
    const char *listen; /* ":443", "127.0.0.1:8080", "unix//run/x" */
    const char *network, *host; /* parts of it */
    unsigned port;
    size_t order;
    bool tls;
};

struct seating {
    struct caddy_reader *reader;
    const struct caddy_block *const *sites;
    struct seat *seats;
    size_t count, room;
};

/* The arguments of all `bind` lines; NULL-ended; NULL: none. */
static const char *const *binds_of(struct caddy_reader *reader, const struct caddy_block *site)
{
    size_t count = 0, at = 0;

    for (const struct caddy_line *line = site->lines; line; line = line->next)
        if (strcmp(caddy_name(line), "bind") == 0)
            count += line->count - 1;
    if (count == 0)
        return reader->options.default_bind;
    const char **binds = dr_arena_alloc(reader->arena, (count + 1) * sizeof(*binds));

    for (const struct caddy_line *line = site->lines; line && binds; line = line->next)
        for (size_t i = 1; strcmp(caddy_name(line), "bind") == 0 && i < line->count; i++)
            binds[at++] = line->words[i].text;
    return binds;
}

/* "tcp4/127.0.0.1", "unix//run/x", "::1" */
static void listen_on(struct caddy_reader *reader, struct seat *seat, const char *bind)
{
    const char *slash = strchr(bind, '/');
    char *host = dr_arena_strdup(reader->arena, slash ? slash + 1 : bind);
    size_t length = host ? strlen(host) : 0;

    seat->network = slash ? dr_arena_strndup(reader->arena, bind, (size_t)(slash - bind)) : "";
    if (!host || !seat->network) {
        reader->failed = true;
        return;
    }
    if (length > 1 && host[0] == '[' && host[length - 1] == ']') {
        host[length - 1] = '\0';
        host++;
    }
    seat->host = host;
    if (strncmp(seat->network, "unix", 4) == 0)
        seat->listen = bind;
    else
        seat->listen = dr_arena_format(reader->arena, strchr(host, ':') ? "%s%s[%s]:%u" : "%s%s%s:%u",
                                       strcmp(seat->network, "tcp") == 0 ? "" : seat->network,
                                       seat->network[0] && strcmp(seat->network, "tcp") != 0 ? "/" : "", host, seat->port);
    if (!seat->listen)
        reader->failed = true;
}

static unsigned port_of(const struct caddy_options *options, const struct caddy_address *address)
{
    if (address->port[0])
        return (unsigned)strtoul(address->port, NULL, 10);
    return strcmp(address->scheme, "http") == 0 ? options->http_port : options->https_port;
}

static void add_key(struct seating *seating, size_t site, const struct caddy_token *key, const char *const *binds)
{
    static const char *const anywhere[] = { "", NULL };
    struct caddy_reader *reader = seating->reader;
    const struct caddy_options *options = &reader->options;
    struct seat seat = { .site = site, .key = key };
    const char *why;

    if (!caddy_parse_address(reader->arena, key->text, &seat.address, &why)) {
        caddy_fault(reader, key, true, "\"%.200s\" is no address of a site: %s", key->text, why);
        return;
    }
    if (strcmp(seat.address.host, "}") == 0 || strcmp(seat.address.host, "{") == 0) {
        caddy_fault(reader, key, true, "a brace stands where the address of a site was expected");
        return;
    }
    seat.port = port_of(options, &seat.address);
    if ((strcmp(seat.address.scheme, "http") == 0 && seat.port == options->https_port) ||
        (strcmp(seat.address.scheme, "https") == 0 && seat.port == options->http_port)) {
        caddy_fault(reader, key, true, "\"%.200s\": scheme and port contradict each other", key->text);
        return;
    }
    for (binds = binds && binds[0] ? binds : anywhere; *binds; binds++) {
        struct seat *grown = dr_arena_grow(reader->arena, seating->seats, seating->count, sizeof(*grown), &seating->room);

        if (!grown) {
            reader->failed = true;
            return;
        }
        seating->seats = grown;
        listen_on(reader, &seat, *binds);
        seat.order = seating->count;
        grown[seating->count++] = seat;
        if (reader->failed)
            return;
    }
}

static int compare_seats(const void *left, const void *right)
{
    const struct seat *a = left, *b = right;
    int by_listen = strcmp(a->listen, b->listen);

    return by_listen != 0 ? by_listen : (a->order > b->order) - (a->order < b->order);
}

static int compare_keys(const void *left, const void *right)
{
    const struct seat *const *a = left, *const *b = right;
    int by_key = strcmp((*a)->key->text, (*b)->key->text);

    return by_key != 0 ? by_key : ((*a)->order > (*b)->order) - ((*a)->order < (*b)->order);
}

static bool scheme_is(const struct seat *seat, const char *scheme)
{
    return strcmp(seat->address.scheme, scheme) == 0;
}

static bool port_is(const struct seat *seat, unsigned port) /* said in the address itself */
{
    return seat->address.port[0] != '\0' && seat->port == port;
}

/* Does the site's `tls` line change how connections are made (and not only where certificates come from)? */
static bool has_tls_policy(const struct caddy_block *site)
{
    static const char *const settings[] = {
        "protocols", "ciphers", "curves", "client_auth", "alpn", "insecure_secrets_log"
    };

    for (const struct caddy_line *line = site->lines; line; line = line->next) {
        if (strcmp(caddy_name(line), "tls") != 0)
            continue;
        if (line->count == 3)
            return true;
        for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++)
            if (caddy_find(line->lines, settings[i]))
                return true;
    }
    return false;
}

/* Addresses of one listener that want TLS beside ones that want none. */
static void check_schemes(struct caddy_reader *reader, const struct seat *seats, size_t count, bool policies)
{
    enum { NEITHER, PLAIN, TLS } state = NEITHER;

    for (size_t i = 0; i < count; i++) {
        bool plain = scheme_is(&seats[i], "http") || port_is(&seats[i], reader->options.http_port);
        bool tls = !plain && (scheme_is(&seats[i], "https") || port_is(&seats[i], reader->options.https_port) || policies);

        plain = plain || (!tls && seats[i].address.host[0] == '\0');
        if ((plain && (state == TLS || policies)) || (tls && state == PLAIN)) {
            caddy_fault(reader, seats[i].key, true, "\"%.200s\": HTTP and HTTPS cannot share the listener %s",
                        seats[i].key->text, seats[i].listen);
            return;
        }
        if (plain || tls)
            state = plain ? PLAIN : TLS;
    }
}

/* Names for which caddy would turn TLS on when it starts. */
static bool has_automatic_name(const struct caddy_options *options, const struct seat *seats, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        bool open = false; /* a site that answers to any name has no name */

        for (size_t j = 0; j < count; j++)
            open = open || (seats[j].site == seats[i].site && seats[j].address.host[0] == '\0');
        if (!open && seats[i].address.host[0] && !(scheme_is(&seats[i], "http") && seats[i].port != options->http_port))
            return true;
    }
    return false;
}

static bool wants_tls(struct seating *seating, const struct seat *seats, size_t count)
{
    const struct caddy_options *options = &seating->reader->options;
    bool automatic = options->auto_https != CADDY_AUTO_OFF, covered = automatic, qualifies = false, policies = false;

    for (size_t i = 0; i < count; i++) {
        const struct seat *seat = &seats[i];

        policies = policies || has_tls_policy(seating->sites[seat->site]);
        qualifies = qualifies || scheme_is(seat, "https") ||
                    (!scheme_is(seat, "http") && seat->address.host[0] && !port_is(seat, options->http_port));
        covered =
            covered && (port_is(seat, options->https_port) || (!port_is(seat, options->http_port) && seat->address.host[0]));
    }
    check_schemes(seating->reader, seats, count, policies);
    if (policies || (qualifies && (!covered || options->default_sni)))
        return true;
    if (!automatic || seats[0].port == options->http_port)
        return false;
    return seats[0].port == options->https_port || has_automatic_name(options, seats, count);
}

/* The same address twice on one listener, in two sites. */
static void check_twice(struct caddy_reader *reader, struct seat *seats, size_t count)
{
    struct seat **sorted = dr_arena_alloc(reader->arena, count * sizeof(*sorted));

    if (!sorted)
        return;
    for (size_t i = 0; i < count; i++)
        sorted[i] = &seats[i];
    qsort(sorted, count, sizeof(*sorted), compare_keys);
    for (size_t i = 1; i < count; i++) {
        if (sorted[i]->site != sorted[i - 1]->site && strcmp(sorted[i]->key->text, sorted[i - 1]->key->text) == 0) {
            caddy_fault(reader, sorted[i]->key, true, "the address \"%.200s\" belongs to two sites", sorted[i]->key->text);
            return;
        }
    }
}

static const char *const *extended(struct dr_arena *arena, const char *const *list, const char *text)
{
    size_t count = 0;

    for (; list && list[count]; count++)
        if (strcmp(list[count], text) == 0)
            return list;
    const char **longer = dr_arena_alloc(arena, (count + 2) * sizeof(*longer));

    if (!longer)
        return list;
    if (count)
        memcpy(longer, list, count * sizeof(*longer));
    longer[count] = text;
    return longer;
}

static void add_listens(struct dr_arena *arena, struct caddy_entry *entry, const struct seat *seat)
{
    bool any = seat->host[0] == '\0';

    entry->addresses = extended(arena, entry->addresses, seat->listen);
    if (strncmp(seat->network, "unix", 4) == 0) {
        entry->listens = extended(arena, entry->listens, dr_arena_format(arena, "unix:%s", seat->host));
        return;
    }
    if (!any || strcmp(seat->network, "tcp6") != 0)
        entry->listens = extended(
            arena, entry->listens,
            dr_arena_format(arena, strchr(seat->host, ':') ? "[%s]:%u" : "%s:%u", any ? "0.0.0.0" : seat->host, seat->port));
    if (any && strcmp(seat->network, "tcp4") != 0)
        entry->listens = extended(arena, entry->listens, dr_arena_format(arena, "[::]:%u", seat->port));
}

static void add_entry(struct caddy_reader *reader, struct caddy_entry **entries, const struct seat *seat, bool open)
{
    struct caddy_entry *entry = *entries;

    while (entry && (entry->tls != seat->tls || strcmp(entry->path, seat->address.path) != 0 || entry->port != seat->port))
        entry = entry->next;
    if (!entry) {
        entry = dr_arena_alloc(reader->arena, sizeof(*entry));
        if (!entry) {
            reader->failed = true;
            return;
        }
        *entry = (struct caddy_entry){
            .path = seat->address.path, .tls = seat->tls, .port = seat->port, .options = &reader->options
        };
        while (*entries)
            entries = &(*entries)->next;
        *entries = entry;
    }
    add_listens(reader->arena, entry, seat);
    if (seat->address.host[0] && open)
        return;
    if (seat->address.host[0])
        entry->names = extended(reader->arena, entry->names, seat->address.host);
    else
        entry->any_name = true;
}

void caddy_site_entries(struct caddy_reader *reader, const struct caddy_block *const *sites, size_t count,
                        struct caddy_entry **ret_entries)
{
    static const char *const none[] = { NULL };
    struct seating seating = { .reader = reader, .sites = sites };

    for (size_t i = 0; i < count && !reader->failed; i++) {
        const char *const *binds = binds_of(reader, sites[i]);

        for (size_t j = 0; j < sites[i]->key_count; j++)
            add_key(&seating, i, &sites[i]->keys[j], binds);
    }
    if (reader->failed || seating.count == 0)
        return;
    qsort(seating.seats, seating.count, sizeof(*seating.seats), compare_seats);
    for (size_t begin = 0, end; begin < seating.count; begin = end) {
        for (end = begin + 1; end < seating.count && strcmp(seating.seats[end].listen, seating.seats[begin].listen) == 0;)
            end++;
        check_twice(reader, seating.seats + begin, end - begin);
        bool tls = wants_tls(&seating, seating.seats + begin, end - begin);

        bool open = false; /* behind an address without a host, caddy drops the hosts of the others */

        for (size_t i = begin; i < end; i++) {
            open = open && seating.seats[i].site == seating.seats[i - 1].site;
            seating.seats[i].tls = tls;
            add_entry(reader, &ret_entries[seating.seats[i].site], &seating.seats[i], open);
            open = open || seating.seats[i].address.host[0] == '\0';
        }
    }
    for (size_t i = 0; i < count; i++)
        for (struct caddy_entry *entry = ret_entries[i]; entry; entry = entry->next)
            if (entry->any_name || !entry->names)
                entry->names = none;
}
