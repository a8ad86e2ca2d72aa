/*
 * Asking a person, one repair at a time. Only on a terminal; never with --yes, --non-interactive or --json.
 */
#ifndef DR_CLI_PROMPT_H
#define DR_CLI_PROMPT_H

#include "cli/session.h"

enum dr_answer { DR_ANSWER_NO = 0, DR_ANSWER_YES, DR_ANSWER_ALL, DR_ANSWER_QUIT };

bool dr_prompt_possible(const struct dr_session *session);

/* Shows what would be done and why it is not safe, and waits for y, n, a or q. End of input is "no". */
enum dr_answer dr_prompt_repair(const cJSON *finding, const cJSON *operations);

#endif
