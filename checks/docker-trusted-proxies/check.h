/*
 * Shared by the files of docker-trusted-proxies: check.c judges the entries that stand in the list, missing.c the addresses that should.
 */
#ifndef DR_CHECKS_DOCKER_TRUSTED_PROXIES_H
#define DR_CHECKS_DOCKER_TRUSTED_PROXIES_H

#include "api/attribution.h"
#include "api/binding.h"
#include "api/check.h"
#include "api/config.h"
#include "api/install.h"
#include "api/live.h"
#include "api/locality.h"
#include "api/network.h"

/* Speaks for others, recently, and no entry has it. */
bool dr_trusted_is_missing(const struct dr_proxy_peer *peer);

bool dr_trusted_among_containers(const struct dr_network *network, const struct dr_address *address);

/* What belongs in the place of an entry that is too wide. */
struct dr_narrowed {
    bool clear; /* false: evidence does not say */
    const struct dr_proxy_peer *peer; /* NULL: nothing, other entries have all proxies that are known */
};

struct dr_narrowed dr_trusted_narrow(const struct dr_rules *rules, const struct dr_attribution *attribution,
                                     const char *entry);

/* One finding for all addresses of a kind (`public` or not), but for `but`. */
void dr_trusted_report_missing(struct dr_context *context, struct dr_findings *findings, const struct dr_problem *problem,
                               const struct dr_attribution *attribution, bool public, const struct dr_proxy_peer *but);

#endif
