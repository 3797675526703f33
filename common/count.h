// How many elements an array has whose size the compiler knows.
#pragma once

#define COUNT(array) (sizeof(array) / sizeof *(array))
