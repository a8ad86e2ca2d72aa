#include "facts/clock_names.h"

#include "facts/clock_lines.h"

#include <errno.h>
#include <string.h>

enum {
    HEAD = 12,
    AT_FLAGS = 2,
    AT_QUESTIONS = 4,
    AT_ANSWERS = 6,
    ANSWER_FLAG = 0x80,
    RECURSE_FLAG = 0x01,
    CODE_MASK = 0x0f,
    NO_SUCH_NAME = 3,
    MOST_LABEL = 63,
    MOST_NAME = 253,
    POINTER = 0xc0,
    CLASS_INTERNET = 1,
    RECORD_HEAD = 10, /* type, class, time to live, length */
};

static unsigned short_at(const unsigned char *packet, size_t at)
{
    return (unsigned)packet[at] << 8 | packet[at + 1];
}

int dr_dns_question(const char *name, enum dr_dns_type type, uint16_t id, unsigned char ret_packet[DR_DNS_MOST_QUESTION])
{
    size_t at = HEAD;

    if (*name == '\0' || strlen(name) > MOST_NAME)
        return -EINVAL;
    memset(ret_packet, 0, DR_DNS_MOST_QUESTION);
    ret_packet[0] = (unsigned char)(id >> 8);
    ret_packet[1] = (unsigned char)id;
    ret_packet[AT_FLAGS] = RECURSE_FLAG;
    ret_packet[AT_QUESTIONS + 1] = 1;
    while (*name) {
        size_t length = strcspn(name, ".");

        if (length == 0 || length > MOST_LABEL)
            return -EINVAL;
        ret_packet[at++] = (unsigned char)length;
        memcpy(ret_packet + at, name, length);
        at += length;
        name += length + (name[length] == '.');
    }
    at++; /* the root's empty label */
    ret_packet[at + 1] = (unsigned char)type;
    ret_packet[at + 3] = CLASS_INTERNET;
    return (int)at + 4;
}

/* Where the name that stands at `at` ends; 0 when the packet ends first. */
static size_t skip_name(const unsigned char *packet, size_t length, size_t at)
{
    while (at < length) {
        unsigned char label = packet[at];

        if (label == 0)
            return at + 1;
        if ((label & POINTER) == POINTER)
            return at + 2 <= length ? at + 2 : 0;
        if (label & POINTER)
            return 0;
        at += 1U + label;
    }
    return 0;
}

int dr_dns_answer(const unsigned char *packet, size_t length, enum dr_dns_type type, uint16_t id,
                  struct dr_address *ret_list, size_t most)
{
    const size_t size = type == DR_DNS_A ? 4 : 16;
    size_t found = 0;

    if (length < HEAD || short_at(packet, 0) != id || !(packet[AT_FLAGS] & ANSWER_FLAG) ||
        short_at(packet, AT_QUESTIONS) != 1)
        return -EBADMSG;
    size_t at = skip_name(packet, length, HEAD);

    if (at == 0 || at + 4 > length || short_at(packet, at) != (unsigned)type)
        return -EBADMSG;
    at += 4;
    for (unsigned left = short_at(packet, AT_ANSWERS); left > 0 && found < most; left--) {
        at = skip_name(packet, length, at);
        if (at == 0 || at + RECORD_HEAD > length || at + RECORD_HEAD + short_at(packet, at + 8) > length)
            break;
        if (short_at(packet, at) == (unsigned)type && short_at(packet, at + 8) == size) {
            ret_list[found] = (struct dr_address){ .family = type == DR_DNS_A ? 4 : 6 };
            memcpy(ret_list[found++].bytes, packet + at + RECORD_HEAD, size);
        }
        at += RECORD_HEAD + short_at(packet, at + 8);
    }
    return (int)found;
}

struct gathering {
    const char *name; /* NULL: name servers */
    struct dr_address *list;
    size_t count, most;
};

static void take_line(void *state, const struct dr_line *line)
{
    struct gathering *gathering = state;
    bool wanted = !gathering->name && strcmp(line->words[0], "nameserver") == 0 && line->count > 1;

    for (size_t i = 1; gathering->name && i < line->count; i++)
        wanted |= strcasecmp(line->words[i], gathering->name) == 0;
    if (wanted && gathering->count < gathering->most &&
        dr_address_parse(line->words[gathering->name ? 0 : 1], &gathering->list[gathering->count]))
        gathering->count++;
}

size_t dr_dns_servers(struct dr_context *context, struct dr_address *ret_list, size_t most)
{
    struct gathering gathering = { .list = ret_list, .most = most };

    (void)dr_lines_read(context, "/etc/resolv.conf", "#;", take_line, &gathering);
    return gathering.count;
}

size_t dr_hosts_lookup(struct dr_context *context, const char *name, struct dr_address *ret_list, size_t most)
{
    struct gathering gathering = { .name = name, .list = ret_list, .most = most };

    (void)dr_lines_read(context, "/etc/hosts", "#", take_line, &gathering);
    return gathering.count;
}
