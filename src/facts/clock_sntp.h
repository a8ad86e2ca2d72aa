/*
 * One question to a time server and its answer: the 48 bytes of RFC 5905 (SNTP, RFC 4330), built and judged. Nothing is sent here.
 *
 * The question tells nothing about this host: its transmit timestamp is a random number, which the answer must repeat (so that nobody who does
 * not see it can answer in the server's place).
 */
#ifndef DR_FACTS_CLOCK_SNTP_H
#define DR_FACTS_CLOCK_SNTP_H

#include "api/clock.h"

enum { DR_SNTP_BYTES = 48, DR_SNTP_MOST = 512 /* nobody answers 48 bytes with more */ };

void dr_sntp_question(uint64_t nonce, unsigned char ret_packet[DR_SNTP_BYTES]);

enum dr_sntp_verdict {
    DR_SNTP_GOOD = 0,
    DR_SNTP_NOT_OURS, /* no answer to this question: go on waiting */
    DR_SNTP_BAD, /* the server's answer, and not to be used */
};

struct dr_sntp_answer {
    struct dr_clock_offset offset;
    unsigned stratum;
    const char *why; /* for NOT_OURS and BAD, in words; static, or `code` is meant */
    char code[5]; /* of a kiss-o'-death: "RATE", "DENY"; "" when it was none */
};

/* `sent_ns` and `received_ns`: this host's clock, nanoseconds since 1970. */
enum dr_sntp_verdict dr_sntp_judge(const unsigned char *packet, size_t length, uint64_t nonce, int64_t sent_ns,
                                   int64_t received_ns, struct dr_sntp_answer *ret_answer);

#endif
