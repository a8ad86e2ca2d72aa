#include "facts/tokens_places.h"

#include "facts/compose.h"

#include <string.h>

static bool is_known(const struct dr_token_gathering *gathering, const char *path)
{
    for (size_t i = 0; i < gathering->count; i++)
        if (gathering->places[i].source.path && strcmp(gathering->places[i].source.path, path) == 0 &&
            !gathering->places[i].ignored)
            return true;
    return false;
}

/* What stands in the compose file itself, or in a file of env_file. The .env has been read as such. */
static void take_secret(struct dr_token_gathering *gathering, const struct dr_compose_value *value)
{
    const struct dr_token_variable *variable = NULL;

    for (size_t i = 0; i < dr_token_variable_count; i++)
        if (strcmp(dr_token_variables[i].name, value->name) == 0)
            variable = &dr_token_variables[i];
    for (size_t i = 0; i < gathering->count; i++)
        if (gathering->places[i].kind == DR_PLACE_COMPOSE_DOTENV && strcmp(gathering->places[i].value, value->text) == 0)
            return; /* it is the .env's */
    if (!variable || !dr_token_is_read(gathering, variable))
        return;
    struct dr_token_place place = {
        .kind = DR_PLACE_COMPOSE_DOTENV,
        .variable = variable->name,
        .password = variable->password,
        .value = value->text,
        .source = value->source,
        .not_editable = "it stands in a compose file",
    };

    place.source.pointer = variable->name;
    dr_token_add(gathering, &place);
}

void dr_tokens_from_compose(struct dr_token_gathering *gathering)
{
    struct dr_compose_place places[DR_MOST_COMPOSE];
    size_t count = dr_compose_places(gathering->context, places);

    for (size_t i = 0; i < count; i++)
        if (!is_known(gathering, places[i].dotenv))
            (void)dr_tokens_from_dotenv(gathering, places[i].dotenv, DR_PLACE_COMPOSE_DOTENV, false);
    const struct dr_compose *composes = dr_composes(gathering->context, &count);

    for (size_t i = 0; i < count; i++)
        for (size_t s = 0; s < composes[i].secret_count; s++)
            take_secret(gathering, &composes[i].secrets[s]);
}
