#include "facts/locality_text.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>

/* Bytes of the white space at the beginning of `text`, 0 when there is none. */
static size_t space_length(const char *text, size_t length)
{
    static const char *const wide[] = { "\xc2\xa0", "\xef\xbb\xbf", "\xe2\x80\xa8", "\xe2\x80\xa9", "\xe3\x80\x80" };

    if (length > 0 && strchr(" \t\n\v\f\r", *text) && *text)
        return 1;
    for (size_t i = 0; i < sizeof(wide) / sizeof(wide[0]); i++)
        if (length >= strlen(wide[i]) && memcmp(text, wide[i], strlen(wide[i])) == 0)
            return strlen(wide[i]);
    if (length >= 3 && memcmp(text, "\xe2\x80", 2) == 0 && (unsigned char)text[2] >= 0x80 && (unsigned char)text[2] <= 0x8a)
        return 3;
    return 0;
}

struct dr_piece dr_piece_of(const char *text)
{
    return (struct dr_piece){ .text = text ? text : "", .length = text ? strlen(text) : 0 };
}

struct dr_piece dr_piece_trim(struct dr_piece piece)
{
    for (size_t space; (space = space_length(piece.text, piece.length));) {
        piece.text += space;
        piece.length -= space;
    }
    for (bool again = true; again && piece.length > 0;) {
        again = false;
        for (size_t width = 1; width <= 3 && width <= piece.length; width++)
            if (space_length(piece.text + piece.length - width, width) == width) {
                piece.length -= width;
                again = true;
                break;
            }
    }
    return piece;
}

bool dr_piece_split(struct dr_piece *rest, char separator, struct dr_piece *ret_head)
{
    if (!rest->text)
        return false;
    const char *end = memchr(rest->text, separator, rest->length);

    *ret_head = *rest;
    if (!end) {
        *rest = (struct dr_piece){ 0 };
        return true;
    }
    ret_head->length = (size_t)(end - rest->text);
    rest->length -= ret_head->length + 1;
    rest->text = end + 1;
    return true;
}

bool dr_piece_lower(struct dr_piece piece, char buffer[DR_ADDRESS_TEXT])
{
    buffer[0] = '\0';
    if (piece.length >= DR_ADDRESS_TEXT)
        return false;
    for (size_t i = 0; i < piece.length; i++)
        buffer[i] = (char)tolower((unsigned char)piece.text[i]);
    buffer[piece.length] = '\0';
    return true;
}

static bool is_address(struct dr_piece piece, int family)
{
    char buffer[DR_ADDRESS_TEXT];
    unsigned char bytes[16];

    return dr_piece_lower(piece, buffer) && inet_pton(family, buffer, bytes) == 1;
}

struct dr_piece dr_piece_without_port(struct dr_piece piece)
{
    const char *end;

    if (piece.length > 0 && piece.text[0] == '[' && (end = memchr(piece.text, ']', piece.length)))
        return (struct dr_piece){ piece.text + 1, (size_t)(end - piece.text - 1) };
    if (is_address(piece, AF_INET6))
        return piece;
    end = memchr(piece.text, ':', piece.length);
    if (!end || !is_address((struct dr_piece){ piece.text, (size_t)(end - piece.text) }, AF_INET) ||
        memrchr(piece.text, ':', piece.length) != end)
        return piece;
    piece.length = (size_t)(end - piece.text);
    return piece;
}

const char *dr_host_name(const char *host, char buffer[DR_ADDRESS_TEXT])
{
    struct dr_piece piece = dr_piece_trim(dr_piece_of(host));
    const char *end;

    if (piece.length > 0 && piece.text[0] == '[' && (end = memchr(piece.text, ']', piece.length)))
        piece = (struct dr_piece){ piece.text + 1, (size_t)(end - piece.text - 1) };
    else if (!is_address(piece, AF_INET6) && (end = memchr(piece.text, ':', piece.length)))
        piece.length = (size_t)(end - piece.text);
    (void)dr_piece_lower(piece, buffer);
    return buffer;
}

const char *dr_origin_host(const char *origin, char buffer[DR_ADDRESS_TEXT])
{
    const char *host = origin ? strstr(origin, "://") : NULL;
    struct dr_piece piece = dr_piece_of(host ? host + strlen("://") : NULL);

    for (size_t i = 0; i < piece.length; i++)
        if (strchr("/?#", piece.text[i]))
            piece.length = i;
    const char *at = memrchr(piece.text, '@', piece.length);

    if (at)
        piece = (struct dr_piece){ at + 1, (size_t)(piece.text + piece.length - at - 1) };
    char authority[DR_ADDRESS_TEXT];

    (void)dr_piece_lower(piece, authority);
    return dr_host_name(authority, buffer);
}
