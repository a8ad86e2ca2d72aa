#include "facts/clock_sntp.h"

#include <ctype.h>
#include <string.h>

enum {
    FIRST_BYTE_ASK = 4 << 3 | 3, /* leap 0, version 4, mode 3 (client) */
    MODE_SERVER = 4,
    LEAP_NOT_SET = 3,
    STRATUM_NOT_SET = 16,
    AT_ROOT_DELAY = 4,
    AT_ROOT_DISPERSION = 8,
    AT_REFERENCE_ID = 12,
    AT_ORIGIN = 24,
    AT_RECEIVE = 32,
    AT_TRANSMIT = 40,
    MOST_DISTANCE_MS = 3000, /* chrony's maxdistance; RFC 5905 has 1 s and 1 s of dispersion */
};

#define NS_PER_SECOND INT64_C(1000000000)
#define NS_PER_MS INT64_C(1000000)
#define SECONDS_1900_TO_1970 INT64_C(2208988800)

static uint32_t word_at(const unsigned char *packet, size_t at)
{
    return (uint32_t)packet[at] << 24 | (uint32_t)packet[at + 1] << 16 | (uint32_t)packet[at + 2] << 8 | packet[at + 3];
}

static uint64_t long_at(const unsigned char *packet, size_t at)
{
    return (uint64_t)word_at(packet, at) << 32 | word_at(packet, at + 4);
}

/* RFC 4330 section 3: with the top bit set the time lies in 1968 to 2036, without it in 2036 to 2104. This host's clock has no say. */
static int64_t nanoseconds(uint64_t stamp)
{
    int64_t seconds = (int64_t)(stamp >> 32);
    uint64_t fraction = stamp & UINT32_MAX;

    if (!(stamp >> 63))
        seconds += INT64_C(1) << 32;
    return (seconds - SECONDS_1900_TO_1970) * NS_PER_SECOND + (int64_t)(fraction * (uint64_t)NS_PER_SECOND >> 32);
}

/* 16.16 bits of seconds, rounded up. */
static int64_t short_ms(uint32_t value)
{
    return (int64_t)(((uint64_t)value * 1000 + UINT16_MAX) >> 16);
}

void dr_sntp_question(uint64_t nonce, unsigned char ret_packet[DR_SNTP_BYTES])
{
    memset(ret_packet, 0, DR_SNTP_BYTES);
    ret_packet[0] = FIRST_BYTE_ASK;
    for (size_t i = 0; i < sizeof(nonce); i++)
        ret_packet[AT_TRANSMIT + i] = (unsigned char)(nonce >> (56 - 8 * i));
}

static void take_code(const unsigned char *packet, struct dr_sntp_answer *answer)
{
    for (size_t i = 0; i + 1 < sizeof(answer->code); i++) {
        unsigned char c = packet[AT_REFERENCE_ID + i];

        if (!isupper(c) && !isdigit(c))
            return;
        answer->code[i] = (char)c;
    }
}

/* What makes an answer to our question one that is not to be used; NULL when it is good. */
static const char *flaw_of(const unsigned char *packet, struct dr_sntp_answer *answer)
{
    unsigned version = packet[0] >> 3 & 7;

    if (version < 1 || version > 4)
        return "it speaks a version of NTP that does not exist";
    if (answer->stratum == 0) {
        take_code(packet, answer);
        return "it asks not to be asked";
    }
    if (packet[0] >> 6 == LEAP_NOT_SET || answer->stratum >= STRATUM_NOT_SET)
        return "it says that its own clock is not set";
    if (long_at(packet, AT_TRANSMIT) == 0 || long_at(packet, AT_RECEIVE) == 0)
        return "there is no time in its answer";
    return NULL;
}

enum dr_sntp_verdict dr_sntp_judge(const unsigned char *packet, size_t length, uint64_t nonce, int64_t sent_ns,
                                   int64_t received_ns, struct dr_sntp_answer *ret_answer)
{
    struct dr_sntp_answer answer = { .why = "what came is no answer to the question" };

    *ret_answer = answer;
    if (length < DR_SNTP_BYTES || length > DR_SNTP_MOST || (packet[0] & 7) != MODE_SERVER ||
        long_at(packet, AT_ORIGIN) != nonce)
        return DR_SNTP_NOT_OURS;
    answer.stratum = packet[1];
    answer.why = flaw_of(packet, &answer);
    if (!answer.why) {
        int64_t there = nanoseconds(long_at(packet, AT_RECEIVE)), back = nanoseconds(long_at(packet, AT_TRANSMIT));
        int64_t way = (received_ns - sent_ns) - (back - there);
        int64_t root = short_ms(word_at(packet, AT_ROOT_DELAY)) / 2 + short_ms(word_at(packet, AT_ROOT_DISPERSION));

        /* The way can come out a little negative where clocks have coarse ticks. */
        if (back < there || received_ns < sent_ns || way < -NS_PER_MS)
            answer.why = "the times in its answer contradict each other";
        else if (root > MOST_DISTANCE_MS)
            answer.why = "it is itself not sure of the time";
        answer.offset.ms = ((there - sent_ns) / 2 + (back - received_ns) / 2) / NS_PER_MS;
        answer.offset.error_ms = (way > 0 ? way / 2 / NS_PER_MS : 0) + root + 1;
    }
    *ret_answer = answer;
    return answer.why ? DR_SNTP_BAD : DR_SNTP_GOOD;
}
