#include "orchestrator/swagger.h"

#include "common/embed.h"

EMBED(swagger_yaml, "spec/orchestrator.yaml");
