// Every target over every file of its corpus, once, without a fuzzer: CORPUS/TARGET/FILE.
#include "tests/fuzz/targets.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

int run_corpus(const std::filesystem::path& folder) {
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    std::ifstream in(entry.path(), std::ios::binary);
    std::string bytes{std::istreambuf_iterator<char>(in), {}};
    // Said first, so that a crash is told apart from its neighbours.
    std::printf("%s\n", entry.path().c_str());
    std::fflush(stdout);
    LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
    ++files;
  }
  return files;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 64;
  int without = 0;
  for (const auto& target : troupe::fuzz::all_targets) {
    troupe::fuzz::choose_target(target.name);
    auto folder = std::filesystem::path(argv[1]) / target.name;
    if (std::filesystem::is_directory(folder) && run_corpus(folder) > 0) continue;
    std::printf("no corpus for %s\n", target.name.data());
    ++without;
  }
  return without > 0;
}
