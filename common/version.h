// The version of all programs of the project.
#pragma once

#define PROJECT_VERSION "0.1.0"
