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

void dr_tokens_from_compose(struct dr_token_gathering *gathering)
{
    struct dr_compose_place places[DR_MOST_COMPOSE];
    size_t count = dr_compose_places(gathering->context, places);

    for (size_t i = 0; i < count; i++)
        if (!is_known(gathering, places[i].dotenv))
            (void)dr_tokens_from_dotenv(gathering, places[i].dotenv, DR_PLACE_COMPOSE_DOTENV, false);
}
