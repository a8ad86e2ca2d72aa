/* One function per command; each returns the exit status. */
#ifndef DR_CLI_COMMANDS_H
#define DR_CLI_COMMANDS_H

#include "cli/session.h"

int dr_command_look(const struct dr_session *session);
int dr_command_fix(const struct dr_session *session);
int dr_command_plan(const struct dr_session *session);
int dr_command_apply(const struct dr_session *session);
int dr_command_undo(const struct dr_session *session);
int dr_command_history(const struct dr_session *session);
int dr_command_list(const struct dr_session *session);
int dr_command_explain(const struct dr_session *session);

#endif
