// What each dialect's codec costs: time and heap allocations of writing a request, reading a whole answer and
// reading one event of a stream; and what signing costs. One thread, no sockets; times are of its processor,
// not of the clock on the wall. ./dev bench codec
#include "bench/figures.hpp"
#include "bench/typical_call.hpp"

#include "providers/auth/sigv4.hpp"
#include "providers/serve.hpp"
#include "runtime/base/clock.hpp"

#include <cstdlib>
#include <ctime>
#include <functional>
#include <new>

namespace {
std::uint64_t allocations = 0;  // the program has one thread
}

// Counting ones, of this program only. The others of the standard library end in these.
void* operator new(std::size_t bytes) {
  ++allocations;
  void* found = std::malloc(bytes > 0 ? bytes : 1);
  if (found == nullptr) std::abort();
  return found;
}
void operator delete(void* bytes) noexcept { std::free(bytes); }
void operator delete(void* bytes, std::size_t) noexcept { std::free(bytes); }

namespace troupe::bench {
namespace {

using providers::Dialect;

constexpr int kRepetitions = 11;
constexpr double kRepetitionSeconds = 0.02;
constexpr int kDeltas = 500;
constexpr std::size_t kPieceBytes = 1'400;  // what a TCP segment over Ethernet carries

double cpu_seconds() {
  timespec used{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) * 1e-9;
}

// One thing to measure. `work` does it once and says of how many units that was.
struct Subject {
  std::string name;
  std::function<std::size_t()> work;
  std::size_t rounds = 1;
  std::vector<double> ns = {};
  double allocated = 0;
};

// Rounds that take about kRepetitionSeconds; also warms caches.
void calibrate(Subject& subject) {
  auto begun = cpu_seconds();
  std::size_t rounds = 0;
  double took = 0;
  for (; took < kRepetitionSeconds / 2; took = cpu_seconds() - begun, ++rounds) subject.work();
  subject.rounds = std::max<std::size_t>(
      1, static_cast<std::size_t>(static_cast<double>(rounds) * kRepetitionSeconds / took));
}

void repeat(Subject& subject) {
  std::size_t units = 0;
  auto allocated = allocations;
  auto begun = cpu_seconds();
  for (std::size_t i = 0; i < subject.rounds; ++i) units += subject.work();
  auto took = cpu_seconds() - begun;
  subject.allocated = static_cast<double>(allocations - allocated) / static_cast<double>(units);
  subject.ns.push_back(took * 1e9 / static_cast<double>(units));
}

[[noreturn]] void give_up(const std::string& what) {
  fmt::print(stderr, "codec: {}\n", what);
  std::exit(1);
}

std::string stream_of(std::string_view name) {
  auto writer = providers::find_dialect_server(name)->stream_writer({});
  auto bytes = writer->write(StreamStarted{"model-1"});
  for (int i = 0; i < kDeltas; ++i) bytes += writer->write(TextDelta{" build, and nobody"});
  bytes += writer->write(StreamStopped{StopReason::stop, {}});
  UsageReported usage;
  usage.usage.input = 900;
  usage.usage.output = kDeltas;
  return bytes + writer->write(usage) + writer->finish();
}

// As an attempt does it: one decoder, what came out is taken away after every piece.
std::size_t decode_stream(const Dialect& dialect, std::string_view bytes) {
  auto decoder = dialect.stream_decoder();
  std::vector<StreamEvent> events;
  std::size_t count = 0;
  for (std::size_t at = 0; at < bytes.size(); at += kPieceBytes) {
    if (!decoder->feed(bytes.substr(at, kPieceBytes), events)) give_up("a stream does not read back");
    count += events.size();
    events.clear();
  }
  if (!decoder->finish(events)) give_up("a stream does not end");
  count += events.size();
  if (count < kDeltas) give_up("events were lost");
  return count;
}

void add_dialect(std::vector<Subject>& subjects, std::string_view name) {
  const auto& dialect = *providers::find_dialect(name);
  auto target = typical_target(name);
  bool tools = dialect.encode(typical_request(), target).has_value();
  auto request = typical_request(tools);
  auto encoded = dialect.encode(request, target);
  if (!encoded) give_up(fmt::format("{}: {}", name, encoded.error().what));
  auto response = providers::find_dialect_server(name)->write_response(typical_completion(tools), {});
  if (auto read = dialect.decode(response); !read) give_up(fmt::format("{}: {}", name, read.error().what));
  auto stream = stream_of(name);
  auto prefix = fmt::format("codec.{}.", name);
  print(prefix + "encode.body", static_cast<double>(encoded->body.size()), "B");
  print(prefix + "event.wire", static_cast<double>(stream.size()) / kDeltas, "B");
  subjects.push_back({prefix + "encode", [&dialect, request, target] {
                        return std::size_t{dialect.encode(request, target).has_value()};
                      }});
  subjects.push_back({prefix + "decode",
                      [&dialect, response] { return std::size_t{dialect.decode(response).has_value()}; }});
  subjects.push_back({prefix + "event", [&dialect, stream] { return decode_stream(dialect, stream); }});
}

// Temporary credentials, whose session token travels and is hashed too.
providers::AwsCredentials bench_credentials() {
  return {"ASIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", std::string(700, 't')};
}

void add_signing(std::vector<Subject>& subjects) {
  const providers::SigningScope scope{"us-east-1", "bedrock"};
  auto target = typical_target("bedrock");
  const auto& dialect = *providers::find_dialect("bedrock");
  auto encoded = *dialect.encode(typical_request(), target);
  auto now = system_clock().wall();
  auto credentials = bench_credentials();
  subjects.push_back({"codec.sign.key_derived", [=]() mutable {
                        return std::size_t{providers::sign(encoded, credentials, scope, now).has_value()};
                      }});
  auto keys = std::make_shared<providers::SigningKeys>();
  subjects.push_back({"codec.sign.key_kept", [=]() mutable {
                        return std::size_t{sign(encoded, credentials, scope, now, *keys).has_value()};
                      }});
  subjects.push_back({"codec.sign.body_hash_alone",
                      [=] { return std::size_t{!providers::sha256_hex(encoded.body).empty()}; }});
  subjects.push_back({"codec.sign.encode_and_sign", [=, &dialect, request = typical_request()] {
                        auto made = dialect.encode(request, target);
                        return std::size_t{sign(*made, credentials, scope, now, *keys).has_value()};
                      }});
}

void measure(std::string_view filter) {
  std::vector<Subject> subjects;
  for (auto name : providers::dialect_names()) add_dialect(subjects, name);
  add_signing(subjects);
  // "codec.openai.event" measures that alone.
  std::erase_if(subjects, [&](const Subject& each) { return !each.name.starts_with(filter); });
  for (auto& subject : subjects) calibrate(subject);
  // Taking turns, so that what else the machine does meets all alike.
  for (int i = 0; i < kRepetitions; ++i)
    for (auto& subject : subjects) repeat(subject);
  for (const auto& subject : subjects) {
    print_repeated(subject.name, subject.ns, "ns");
    print(subject.name + ".allocations", subject.allocated, "1");
  }
}

}  // namespace
}  // namespace troupe::bench

int main(int argc, char** argv) {
  if (troupe::bench::wanted(argc, argv, "codec")) troupe::bench::measure(argc > 1 ? argv[1] : "");
}
