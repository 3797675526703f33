// Globs as fnmatch() reads them with flags 0 (*, ?, [a-z], [!a], [[:digit:]], \x), in the time of
// pattern times text at most: those that match come from requests and files, and fnmatch() takes
// exponential time where a pattern has many stars.
#pragma once

#include <stdbool.h>

bool glob_is(const char *text); // whether it holds *, ?, [ or a backslash: is more than a name
bool glob_matches(const char *pattern, const char *text);
