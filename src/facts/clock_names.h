/*
 * Addresses of a name without waiting for them: a question to the domain name system, built and understood here, sent by the caller. (getaddrinfo
 * waits, and its threads are not to be had in the sandbox.) RFC 1035; only A and AAAA are asked for.
 */
#ifndef DR_FACTS_CLOCK_NAMES_H
#define DR_FACTS_CLOCK_NAMES_H

#include "api/locality.h"

enum { DR_DNS_MOST_QUESTION = 300, DR_DNS_MOST_ANSWER = 1500 };

enum dr_dns_type { DR_DNS_A = 1, DR_DNS_AAAA = 28 };

/* Length of the packet, or -EINVAL when `name` is no host name. */
int dr_dns_question(const char *name, enum dr_dns_type type, uint16_t id, unsigned char ret_packet[DR_DNS_MOST_QUESTION]);

/*
 * How many addresses of `type` the answer holds (at most `most` are written), 0 also when the name does not exist. -EBADMSG: no answer to the
 * question with this id; go on waiting.
 */
int dr_dns_answer(const unsigned char *packet, size_t length, enum dr_dns_type type, uint16_t id,
                  struct dr_address *ret_list, size_t most);

/* Up to `most` name servers of /etc/resolv.conf. */
size_t dr_dns_servers(struct dr_context *context, struct dr_address *ret_list, size_t most);

/* Up to `most` addresses that /etc/hosts has for the name. */
size_t dr_hosts_lookup(struct dr_context *context, const char *name, struct dr_address *ret_list, size_t most);

#endif
