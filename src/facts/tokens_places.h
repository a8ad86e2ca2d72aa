/*
 * Gathering the places of dr_tokens. One function per kind of source; each adds what it finds, and what it could not read.
 */
#ifndef DR_FACTS_TOKENS_PLACES_H
#define DR_FACTS_TOKENS_PLACES_H

#include "api/release.h"
#include "api/tokens.h"
#include "facts/text_file.h"

enum { DR_MOST_TOKEN_PLACES = 64, DR_MOST_TOKEN_UNREAD = 32 };

struct dr_token_gathering {
    struct dr_context *context;
    const struct dr_rules *rules;
    struct dr_token_place *places;
    size_t count;
    struct dr_token_unread *not_read;
    size_t not_read_count;
    bool unit; /* a service of this state was found */
    bool running; /* the environment of the running gateway was read */
};

/* One of the variables that OpenClaw reads. */
struct dr_token_variable {
    const char *name;
    bool password;
    bool legacy; /* only for releases with rules->legacy_names */
};

extern const struct dr_token_variable dr_token_variables[];
extern const size_t dr_token_variable_count;

/* False for the old names in releases that ignore them. */
bool dr_token_is_read(const struct dr_token_gathering *gathering, const struct dr_token_variable *variable);

/* Registers the value as a secret. NULL when there is no more room. */
struct dr_token_place *dr_token_add(struct dr_token_gathering *gathering, const struct dr_token_place *place);
void dr_token_unread(struct dr_token_gathering *gathering, const struct dr_source *source, const char *reason);

void dr_tokens_from_config(struct dr_token_gathering *gathering);
void dr_tokens_from_environment(struct dr_token_gathering *gathering);
void dr_tokens_from_dotenvs(struct dr_token_gathering *gathering);
void dr_tokens_from_services(struct dr_token_gathering *gathering);
void dr_tokens_from_compose(struct dr_token_gathering *gathering);
void dr_tokens_from_gateway(struct dr_token_gathering *gathering);

/* The variables in a .env file. False when there is no such file. `ignored`: the release does not read it. */
bool dr_tokens_from_dotenv(struct dr_token_gathering *gathering, const char *path, enum dr_token_place_kind kind,
                           bool ignored);

#endif
