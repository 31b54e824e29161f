// toml++ as this room uses it: without exceptions, header-only. Slow to compile: only this room's two files include it.
#pragma once

#define TOML_HEADER_ONLY 1
#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0
#include <toml++/toml.h>
