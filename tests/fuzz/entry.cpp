// libFuzzer's entry points. One program holds all targets; the name it is called by chooses.
#include "tests/fuzz/targets.hpp"

namespace troupe::fuzz {
namespace {
const NamedTarget* chosen_target = nullptr;
}

bool choose_target(std::string_view name) {
  auto found = std::ranges::find(all_targets, name, &NamedTarget::name);
  chosen_target = found == all_targets.end() ? nullptr : &*found;
  return chosen_target != nullptr;
}

}  // namespace troupe::fuzz

extern "C" int LLVMFuzzerInitialize(int*, char*** argv) {
  std::string_view name = (*argv)[0];
  if (troupe::fuzz::choose_target(name.substr(name.rfind('/') + 1))) return 0;
  std::fprintf(stderr, "call this program by a target's name:");
  for (const auto& target : troupe::fuzz::all_targets) std::fprintf(stderr, " %s", target.name.data());
  std::fprintf(stderr, "\n");
  std::exit(64);
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  troupe::fuzz::chosen_target->run({reinterpret_cast<const char*>(data), size});
  return 0;
}
