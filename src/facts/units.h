/*
 * What the files of this folder that make up api/services.h share.
 */
#ifndef DR_FACTS_UNITS_H
#define DR_FACTS_UNITS_H

#include "api/services.h"
#include "facts/text_file.h"

/* A value as a secret when the variable is one; NULL-ended names. */
extern const char *const dr_service_secrets[];

#endif
