/* The addresses of this host's interfaces, from the kernel (netlink by getifaddrs); nobody is contacted. */
#ifndef DR_FACTS_NETWORK_OWN_H
#define DR_FACTS_NETWORK_OWN_H

#include "api/network.h"
#include "facts/context.h"

enum { DR_MOST_OWN = 64 };

/* Fills own and own_count. Leaves them empty where the kernel does not say, and where request->proc is not the kernel's own (tests). */
void dr_network_own(struct dr_context *context, struct dr_network *network);

#endif
