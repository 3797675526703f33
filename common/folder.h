// Folders for a while: made below $TMPDIR (/tmp), and removed with all that is in them.
#pragma once

#include "common/error.h"

#include <stddef.h>

// "/tmp/NAME-XXXXXX", for its owner alone.
int folder_make(char *path, size_t size, const char *name, struct error *err);
// What cannot be removed stays. Links are not followed.
void folder_remove(const char *path);
