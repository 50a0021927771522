// 2,000 answers streamed at once to one client: memory of an idle stream, how much later than sent an event
// is heard, and whether any is lost. The server is a process of its own, so that its memory and its time are
// not counted. Each mode has a fresh pair of processes. ./dev bench streams
//
// An event's text is its number and the moment it was written (one clock for both processes, the machine's);
// it is heard when the attempt's sink (or the decoder, where there is no attempt) gives it out.
#include "bench/figures.hpp"
#include "bench/stream_sender.hpp"
#include "bench/typical_call.hpp"

#include "actors/attempt.hpp"
#include "tests/http/support/certificates.hpp"
#include "tests/http/support/exchanges.hpp"

#include <malloc.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

namespace troupe::bench {
namespace {

using http::testing::on_loop;

constexpr std::size_t kStreams = 2'000, kMostEvents = 50 * kStreams;

// What one run of events came to. Loop thread, or when nothing runs.
struct Tally {
  std::size_t begun = 0, heard = 0, out_of_order = 0, ended = 0, failed = 0;
  std::vector<double> delay_us;
};

// One stream's listener, whoever calls it.
class Ear {
 public:
  explicit Ear(Tally& tally) : tally_(tally) {}
  void on_event(const StreamEvent& event) {
    const auto* delta = std::get_if<TextDelta>(&event);
    if (delta == nullptr) return;
    if (delta->text == "begun") return static_cast<void>(++tally_.begun);
    auto now = monotonic_ns();
    char* rest = nullptr;
    auto number = std::strtoull(delta->text.c_str(), &rest, 10);
    tally_.out_of_order += number != next_;
    next_ = number + 1;
    ++tally_.heard;
    tally_.delay_us.push_back(static_cast<double>(now - std::strtoll(rest, nullptr, 10)) * 1e-3);
  }
  void on_end(bool well) { ++(well ? tally_.ended : tally_.failed); }
  void restart() { next_ = 0; }

 private:
  Tally& tally_;
  std::uint64_t next_ = 0;
};

// The whole path of a node, below its actors.
class AttemptStream final : public actors::StreamSink {
 public:
  explicit AttemptStream(Tally& tally) : ear(tally) {}
  void on_taken_back() override {}
  void on_events(std::span<const StreamEvent> events) override {
    for (const auto& event : events) ear.on_event(event);
  }
  Ear ear;
  std::shared_ptr<actors::HttpAttempt> attempt;
};

// The least there can be over http::Client: the dialect's decoder.
class BareStream final : public http::ExchangeSink {
 public:
  explicit BareStream(Tally& tally) : ear(tally) {}
  void on_head(const http::ResponseHead&) override {}
  void on_body(std::string_view bytes) override {
    if (!decoder_->feed(bytes, events_)) give_up("a stream does not read back");
    for (const auto& event : events_) ear.on_event(event);
    events_.clear();
  }
  void on_end(Result<void> result) override { ear.on_end(result && decoder_->finish(events_)); }
  Ear ear;

 private:
  std::unique_ptr<providers::StreamDecoder> decoder_ =
      providers::find_dialect(kStreamDialect)->stream_decoder();
  std::vector<StreamEvent> events_;
};

struct Mode {
  const char* name;
  bool tls, attempts;
};
constexpr std::array kModes{Mode{"plain.decoder", false, false}, Mode{"plain.attempt", false, true},
                            Mode{"tls.attempt", true, true}};

double resident_kib() {
  std::ifstream in("/proc/self/statm");
  double total = 0, resident = 0;
  in >> total >> resident;
  return resident * static_cast<double>(::sysconf(_SC_PAGESIZE)) / 1024;
}
double heap_kib() {
  auto info = ::mallinfo2();
  return static_cast<double>(info.uordblks + info.hblkhd) / 1024;
}
double cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  auto of = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
  };
  return of(usage.ru_utime) + of(usage.ru_stime);
}

class Listeners {
 public:
  Listeners(const Mode& mode, unsigned short port, const std::string& ca_file)
      : mode_(mode), origin_{mode.tls, "localhost", port}, client_(loop_, config(ca_file)) {
    auto wire = std::make_shared<actors::Wire>();
    wire->endpoint = "bench";
    wire->dialect = providers::find_dialect(kStreamDialect);
    wire->target = typical_target(kStreamDialect);
    wire->origin = origin_;
    wire_ = wire;
  }
  ~Listeners() { loop_.stop(); }

  void run() {
    // One stream alone: what the way takes when nothing else goes on. Opens what is opened once.
    open(1);
    pace("alone.1k_per_s", 1'000, 3'000);
    end();
    tally_.delay_us.assign(kMostEvents, 0);  // the notebook is not the streams'
    auto resident = resident_kib(), heap = heap_kib();
    open(kStreams);
    auto count = static_cast<double>(kStreams);
    figure("idle_stream.rss", (resident_kib() - resident) / count, "KiB");
    figure("idle_stream.heap", (heap_kib() - heap) / count, "KiB");
    pace("10k_per_s", 10'000, 25);
    figure("used_stream.rss", (resident_kib() - resident) / count, "KiB");
    pace("20k_per_s", 20'000, 50);
    end();
    figure("events_lost", static_cast<double>(lost_), "1");
    figure("events_out_of_order", static_cast<double>(tally_.out_of_order), "1");
    figure("streams_failed", static_cast<double>(tally_.failed), "1");
  }

 private:
  static http::ClientConfig config(const std::string& ca_file) {
    http::ClientConfig config;
    config.open_per_origin_max = 2 * kStreams;
    config.ca_file = ca_file;
    config.resolve = [](const std::string&, http::Found found) {
      found(std::vector<std::string>{"127.0.0.1"});
    };
    return config;
  }
  void figure(const std::string& name, double value, std::string_view unit) {
    print(fmt::format("streams.{}.{}", mode_.name, name), value, unit);
  }
  void wait(const char* what, std::function<bool()> met) {
    // Asked every 20 ms: asking all the time would cost the events their processor.
    for (int i = 0; i < 3'000; ++i) {
      if (on_loop(loop_, met)) return;
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    give_up(std::string("waited in vain for ") + what);
  }

  void open(std::size_t count) {
    tally_.begun = tally_.ended = 0;
    open_ = count;
    auto begun = system_clock().now();
    // Some at a time, as calls come; a burst would end in SYN retries, which are not what is measured here.
    for (std::size_t upto = std::min<std::size_t>(count, 100);; upto = std::min(count, upto + 100)) {
      on_loop(loop_, [&] {
        while (opened_ < upto) open_one();
        return 0;
      });
      wait("streams to begin", [&] { return tally_.begun >= upto; });
      if (upto == count) break;
    }
    if (count > 1) figure("opening", seconds(system_clock().now() - begun), "s");
  }

  void open_one() {
    ++opened_;
    if (mode_.attempts) {
      auto stream = std::make_shared<AttemptStream>(tally_);
      actors::RunAttempt order;
      order.request = request_;
      order.deadline = system_clock().now() + std::chrono::minutes(5);
      order.sink = stream;
      stream->attempt = actors::HttpAttempt::start(
          wire_, order, loop_, client_, system_clock(),
          [ear = &stream->ear](actors::AttemptResultPtr result) { ear->on_end(!result->error); });
      attempts_.push_back(std::move(stream));
      return;
    }
    auto stream = std::make_shared<BareStream>(tally_);
    auto request = wire_->dialect->encode(*request_, wire_->target);
    client_.start(origin_, std::move(*request), {}, stream);
    bare_.push_back(std::move(stream));
  }

  void command(const std::string& target) {
    http::Request request;
    request.target = target;
    auto answer = http::testing::ask(loop_, client_, origin_, request);
    wait(target.c_str(), [&] { return answer.sink->ends > 0; });
    if (!answer.sink->succeeded()) give_up(answer.sink->error().what);
  }

  // `each`: events of every stream.
  void pace(const std::string& name, int rate, std::size_t each) {
    on_loop(loop_, [&] {
      for (auto& stream : attempts_) stream->ear.restart();
      for (auto& stream : bare_) stream->ear.restart();
      tally_.heard = 0;
      tally_.delay_us.clear();
      tally_.delay_us.reserve(each * open_);
      return 0;
    });
    auto began = system_clock().now();
    auto cpu = cpu_seconds();
    command(fmt::format("/go/{}/{}", rate, each));
    auto events = each * open_;
    // The command's answer may overtake the last events; what never comes is lost.
    for (int i = 0; i < 100 && on_loop(loop_, [&] { return tally_.heard; }) < events; ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    auto count = static_cast<double>(events);
    cpu = cpu_seconds() - cpu;
    auto rate_held = count / seconds(system_clock().now() - began);
    auto [heard, delays] = on_loop(loop_, [&] { return std::pair(tally_.heard, tally_.delay_us); });
    lost_ += events - std::min(events, heard);
    auto prefix = fmt::format("streams.{}.{}.", mode_.name, name);
    print_spread(prefix + "delay", delays, {0.99, 1}, "us");
    print(prefix + "client_cpu_per_event", cpu * 1e6 / count, "us");
    print(prefix + "rate", rate_held, "events/s");
  }

  void end() {
    command("/end");
    wait("streams to end", [&] { return tally_.ended + tally_.failed >= open_; });
    on_loop(loop_, [&] {
      // An attempt holds its sink, which is what holds the attempt.
      for (auto& stream : attempts_) stream->attempt.reset();
      attempts_.clear();
      bare_.clear();
      opened_ = 0;
      return 0;
    });
  }

  const Mode& mode_;
  const http::Origin origin_;
  Tally tally_;
  std::size_t open_ = 0, opened_ = 0, lost_ = 0;
  std::shared_ptr<const CompletionRequest> request_ =
      std::make_shared<const CompletionRequest>(typical_request());
  std::shared_ptr<const actors::Wire> wire_;
  std::vector<std::shared_ptr<AttemptStream>> attempts_;
  std::vector<std::shared_ptr<BareStream>> bare_;
  http::Loop loop_;
  http::Client client_;
};

[[noreturn]] void run_mode(const Mode& mode, const http::testing::CertificateFiles& files,
                           const std::string& ca_file) {
  int told[2], alive[2];
  if (::pipe(told) != 0 || ::pipe(alive) != 0) give_up("no pipe");
  auto server = ::fork();
  if (server == 0) {
    ::close(alive[1]);
    serve(mode.tls ? files : http::testing::CertificateFiles{}, told[1], alive[0]);
  }
  unsigned short port = 0;
  if (server < 0 || ::read(told[0], &port, sizeof port) != sizeof port) give_up("no server");
  Listeners(mode, port, ca_file).run();
  ::close(alive[1]);
  ::waitpid(server, nullptr, 0);
  ::_exit(0);
}

// `filter` may end in a mode's name, as in "streams.tls".
int measure(const std::string& filter) {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_cur < kStreams + 200) give_up("this process may not open enough descriptors");
  http::testing::TestAuthority authority("Troupe bench authority");
  auto files = authority.issue("server", "DNS:localhost");
  int failed = 0;
  // This process never has a thread, so that forking is safe.
  for (const auto& mode : kModes) {
    auto name = fmt::format("streams.{}", mode.name);
    if (!name.starts_with(filter) && !filter.starts_with(name)) continue;
    std::fflush(stdout);
    auto pair = ::fork();
    if (pair == 0) run_mode(mode, files, authority.ca_file());
    int status = 0;
    failed += pair < 0 || ::waitpid(pair, &status, 0) != pair || status != 0;
  }
  return failed;
}

}  // namespace
}  // namespace troupe::bench

int main(int argc, char** argv) {
  if (!troupe::bench::wanted(argc, argv, "streams")) return 0;
  return troupe::bench::measure(argc > 1 ? argv[1] : "");
}
