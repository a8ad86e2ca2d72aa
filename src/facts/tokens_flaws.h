/*
 * What is wrong with the characters of a token itself, whatever the others say.
 */
#ifndef DR_FACTS_TOKENS_FLAWS_H
#define DR_FACTS_TOKENS_FLAWS_H

#include "api/tokens.h"

/* Fills `flaws` and `clean` of a place from its value. */
void dr_token_judge_value(struct dr_context *context, struct dr_token_place *place);

#endif
