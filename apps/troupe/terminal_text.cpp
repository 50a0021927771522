// Printers of workflows over stdout and stderr.
#include "apps/troupe/terminal_text.hpp"

#include "agents/search/printed.hpp"
#include "agents/summary/printed.hpp"

#include <cstdio>
#include <memory>

namespace troupe::app {
namespace {

void print_to(std::FILE* stream, std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stream);
  std::fflush(stream);
}

template <class Printer>
TerminalText printed_by() {
  auto printer = std::make_shared<Printer>([](std::string_view text) { print_to(stdout, text); },
                                           [](std::string_view text) { print_to(stderr, text); });
  return {printer->hook(), [printer](const Json& result) { printer->finish(result); }};
}

}  // namespace

TerminalText summary_on_terminal() { return printed_by<summary::SummaryPrinter>(); }
TerminalText search_on_terminal() { return printed_by<search::SearchPrinter>(); }

std::function<void(const LiveText&)> reader_of(const TerminalText& terminal) {
  return [terminal](const LiveText& heard) {
    switch (heard.what) {
      case LiveText::What::delta: return terminal.hook.on_text(heard.step, heard.text);
      case LiveText::What::restart: return terminal.hook.on_restart(heard.step);
      case LiveText::What::end: return terminal.hook.on_end(heard.step);
    }
  };
}

void finish_on(const TerminalText& terminal, const RunReport& report) {
  if (report.end != RunEnd::done) return;
  if (auto result = parse_json(report.output.text)) terminal.finish(*result);
}

}  // namespace troupe::app
