/*
 * What time and name servers send: first byte 0 a name server's packet for A, 1 for AAAA, else a time server's. Nothing is read outside of the packet, and an
 * answer is believed only within its own bound.
 */
#include "facts/clock_names.h"
#include "facts/clock_sntp.h"
#include "fuzz.h"

#include <errno.h>
#include <string.h>

static const int64_t sent_ns = INT64_C(1795867200000000000), received_ns = INT64_C(1795867200061000000);
#define NONCE UINT64_C(0x0123456789abcdef)

enum { MOST = 4, DAYS_OF_AN_ERA = 49711 };

static void a_time_server(const uint8_t *data, size_t size)
{
    struct dr_sntp_answer answer;
    enum dr_sntp_verdict verdict = dr_sntp_judge(data, size, NONCE, sent_ns, received_ns, &answer);

    PROMISE(verdict == DR_SNTP_GOOD || answer.why);
    PROMISE(memchr(answer.code, '\0', sizeof(answer.code)));
    for (const char *c = answer.code; *c; c++)
        PROMISE((*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9'));
    if (verdict != DR_SNTP_GOOD)
        return;
    PROMISE(size >= DR_SNTP_BYTES && answer.stratum > 0 && answer.stratum < 16);
    PROMISE(answer.offset.error_ms > 0 && answer.offset.error_ms < 4000);
    PROMISE(answer.offset.ms / 86400000 < DAYS_OF_AN_ERA && answer.offset.ms / 86400000 > -DAYS_OF_AN_ERA);
}

static void a_name_server(const uint8_t *data, size_t size, enum dr_dns_type type)
{
    struct dr_address list[MOST];
    char text[DR_ADDRESS_TEXT];
    int found = dr_dns_answer(data, size, type, 0x1234, list, MOST);

    PROMISE(found == -EBADMSG || (found >= 0 && found <= MOST));
    for (int i = 0; i < found; i++)
        PROMISE(list[i].family == (type == DR_DNS_A ? 4 : 6) && *dr_address_text(&list[i], text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *copy = size > 1 ? malloc(size - 1) : NULL; /* exactly as long: what is read beyond its end is seen */

    if (!copy)
        return 0;
    memcpy(copy, data + 1, size - 1);
    if (data[0] > 1)
        a_time_server(copy, size - 1);
    else
        a_name_server(copy, size - 1, data[0] == 0 ? DR_DNS_A : DR_DNS_AAAA);
    free(copy);
    return 0;
}
