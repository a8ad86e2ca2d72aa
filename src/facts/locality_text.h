/*
 * Pieces of header values and list entries, cut as the gateway's JavaScript cuts them. A piece is borrowed from its text.
 */
#ifndef DR_FACTS_LOCALITY_TEXT_H
#define DR_FACTS_LOCALITY_TEXT_H

#include "api/locality.h"

struct dr_piece {
    const char *text;
    size_t length;
};

struct dr_piece dr_piece_of(const char *text); /* NULL: an empty piece */
struct dr_piece dr_piece_trim(struct dr_piece piece); /* String.prototype.trim: also no-break and zero-width space */

/* Cuts off what stands before the first `separator`. False when `rest` was used up (rest->text NULL). */
bool dr_piece_split(struct dr_piece *rest, char separator, struct dr_piece *ret_head);

/* "[::1]:80" -> "::1", "10.0.0.1:80" -> "10.0.0.1"; anything else as it is. */
struct dr_piece dr_piece_without_port(struct dr_piece piece);

/* Copies in lower case; false (and "") when it does not fit. */
bool dr_piece_lower(struct dr_piece piece, char buffer[DR_ADDRESS_TEXT]);

/* "EXAMPLE.org:80" -> "example.org"; names that do not fit the buffer become "". */
const char *dr_host_name(const char *host, char buffer[DR_ADDRESS_TEXT]);

/* The host of "https://[::1]:8443/x", "" when there is none. */
const char *dr_origin_host(const char *origin, char buffer[DR_ADDRESS_TEXT]);

#endif
