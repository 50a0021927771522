// What the gateway costs over bare ZeroMQ with CURVE: 1 KiB messages between two threads over TCP loopback.
// Prints `NAME VALUE UNIT` lines, the median of interleaved repetitions. ./dev bench wire
#include "bench/wire_sides.hpp"

namespace troupe::transport {
namespace {

template <class Wire>
void measure(const std::string& name, Wire& wire, Figures& figures) {
  figures.add("wire." + name + ".one_way", "msg/s", wire.one_way());
  figures.add("wire." + name + ".rtt_1.p50", "us", wire.round_trips(kRoundTrips, 1).p50_us);
  auto many = wire.round_trips(kRoundTripsInFlight, 64);
  figures.add("wire." + name + ".rtt_64.p50", "us", many.p50_us);
  figures.add("wire." + name + ".rtt_64.rate", "rt/s", many.per_second);
}

void measure_in_turns(const std::string& filter) {
  Figures figures(filter);
  // Taking turns, so that what else the machine does meets both alike.
  for (int i = 0; i < kRepetitions; ++i) {
    {
      Bare bare;
      measure("bare", bare, figures);
    }
    Ours ours;
    measure("gateway", ours, figures);
  }
  figures.add("wire.ratio", "x", figures.of("wire.gateway.one_way") / figures.of("wire.bare.one_way"));
  figures.add("wire.ratio.rtt_64", "x",
              figures.of("wire.gateway.rtt_64.rate") / figures.of("wire.bare.rtt_64.rate"));
  figures.print();
}

}  // namespace
}  // namespace troupe::transport

int main(int argc, char** argv) {
  std::string filter = argc > 1 ? argv[1] : "";
  if (filter.empty() || filter.starts_with("wire")) troupe::transport::measure_in_turns(filter);
}
