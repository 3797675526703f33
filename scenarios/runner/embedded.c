#include "scenarios/runner/embedded.h"

#include "common/embed.h"

EMBED(scenario_schema, "spec/scenario.schema.json");
EMBED(starter_yaml, "scenarios/runner/starter.yaml.in");
