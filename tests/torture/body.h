// What people ask for, and what devices do wrong: bodies of requests, drawn, in JSON with ' for ".
// Pure.
#pragma once

#include "tests/torture/place.h"

enum { BODY_MAX = 512 };

void body_draw_job(struct draw *d, const struct place *place, char body[BODY_MAX]); // /upgrade-os/
void body_draw_fault(struct draw *d, const struct place *place, char body[BODY_MAX]); // /faults/
void body_quote(char *text); // puts " for each '
