// The options of a command line, as the body of a request. Pure. What a value may be says the
// service alone, which checks every request; here only what the line means is made out.
#pragma once

#include "common/error.h"

#include <cjson/cJSON.h>

// "a,b" adds two to the field, a list; a comma within the brackets of a glob divides nothing.
int cli_request_add(cJSON *body, const char *field, const char *value, struct error *err);
// A number, or else a text. Given again: the last holds.
int cli_request_set(cJSON *body, const char *field, const char *value, struct error *err);
// A number, or else one or more for a list.
int cli_request_set_or_add(cJSON *body, const char *field, const char *value, struct error *err);

// What the service says of a field, as it is called on the command line: "--site: there is no ...".
// Fields that no option is for stay as they are.
struct cli_field {
    const char *field, *option;
};
void cli_request_explain(const struct cli_field *fields, size_t count, const char *detail,
                         char *out, size_t size);
