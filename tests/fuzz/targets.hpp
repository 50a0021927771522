// Every fuzz target. How each reads its input stands above its function.
#pragma once

#include "tests/fuzz/support.hpp"

#include <array>

namespace troupe::fuzz {

void fuzz_json(std::string_view input);
void fuzz_sse(std::string_view input);
void fuzz_eventstream(std::string_view input);
void fuzz_stream(std::string_view input);
void fuzz_answer(std::string_view input);
void fuzz_request(std::string_view input);
void fuzz_http(std::string_view input);
void fuzz_h2(std::string_view input);
void fuzz_sigv4(std::string_view input);
void fuzz_credentials(std::string_view input);

struct NamedTarget {
  std::string_view name;
  Target run;
};
inline constexpr std::array all_targets{
    NamedTarget{"json", fuzz_json},
    NamedTarget{"sse", fuzz_sse},
    NamedTarget{"eventstream", fuzz_eventstream},
    NamedTarget{"stream", fuzz_stream},
    NamedTarget{"answer", fuzz_answer},
    NamedTarget{"request", fuzz_request},
    NamedTarget{"http", fuzz_http},
    NamedTarget{"h2", fuzz_h2},
    NamedTarget{"sigv4", fuzz_sigv4},
    NamedTarget{"credentials", fuzz_credentials},
};

/// The target LLVMFuzzerTestOneInput runs. False for a name there is none of.
bool choose_target(std::string_view name);

}  // namespace troupe::fuzz
