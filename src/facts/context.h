/*
 * The context of one run inside the worker: memory, the request, and the facts had so far.
 *
 * Each fact is loaded by its own file in src/facts at the first call of its accessor (declared in src/api) and kept here.
 */
#ifndef DR_FACTS_CONTEXT_H
#define DR_FACTS_CONTEXT_H

#include "base/arena.h"
#include "facts/request.h"

struct dr_target;
struct dr_installs;
struct dr_config;
struct dr_devices;
struct dr_tokens;
struct dr_gateway;
struct dr_services;
struct dr_systemd;
struct dr_kept_process;
struct dr_met_process;
struct dr_secrets;
struct dr_rights;
struct dr_network;
struct dr_proxies;
struct dr_live;
struct dr_log;
struct dr_attribution;
struct dr_binding;
struct dr_listeners_kept;
struct dr_compose;
struct dr_compose_kept;

/* The worker's line to its parent, see facts/socket_owner.h. */
struct dr_parent {
    int fd; /* SOCK_SEQPACKET */
};
struct dr_clock;
struct dr_clock_start;

/* A folder and where it really lies (dr_path_resolve). */
struct dr_kept_folder {
    const char *asked, *real;
};

struct dr_context {
    struct dr_arena *arena;
    const struct dr_request *request;
    /* Called when the arena is full; does not return. NULL: abort(). */
    void (*out_of_memory)(void);

    struct dr_target *target;
    struct dr_installs *installs;
    struct dr_config *config;
    struct dr_devices *devices;
    struct dr_tokens *tokens;
    struct dr_gateway *gateway;
    struct dr_services *services;
    struct dr_systemd *systemd;
    struct dr_kept_process *processes; /* facts/proc.h */
    struct dr_met_process *met;
    struct dr_secrets *secrets;
    struct dr_rights *rights;
    struct dr_network *network;
    struct dr_proxies *proxies;
    struct dr_live *live;
    struct dr_log *log;
    struct dr_attribution *attribution;
    struct dr_binding *binding;
    struct dr_compose *composes; /* facts/compose.h */
    size_t compose_count;
    struct dr_listeners_kept *listeners; /* facts/listeners.c */
    const struct dr_parent *parent; /* NULL: no sandbox, everything can be looked at */
    struct dr_clock *clock;
    struct dr_clock_start *clock_start; /* facts/clock.h */
    long last_owner; /* facts/socket_owner.c */
    struct dr_compose_kept *compose; /* facts/compose.c */
    struct dr_kept_folder folders[8];
    unsigned folder_next;
};

/* dr_format with the arguments of a caller that takes "..." itself. */
char *dr_vformat(struct dr_context *context, const char *format, va_list arguments) DR_PRINTF(2, 0);

/*
 * Every secret that a fact meets is made known here. The wire replaces each occurrence in any text that leaves the worker by its
 * fingerprint (secrets shorter than 6 characters only where they are reported as such: they would hit ordinary words).
 */
void dr_secret_known(struct dr_context *context, const char *secret);

/* Appends `text` to `buffer` with every known secret replaced. */
struct dr_buffer;
int dr_secret_redact(struct dr_context *context, const char *text, size_t length, struct dr_buffer *buffer);

#endif
