#include "apps/troupe/summary_output.hpp"

#include "apps/troupe/command.hpp"

#include <cstdio>

namespace troupe::app {
namespace {

void print_to(std::FILE* stream, std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stream);
  std::fflush(stream);
}

}  // namespace

Result<void> write_summary(const std::string& out, const RunReport& report) {
  auto summary = parse_json(report.output.text);
  if (!summary) return std::unexpected(summary.error());
  return write_file(out + "/summary.json", dump_json(*summary, 1) + "\n");
}

SummaryOnTerminal::SummaryOnTerminal()
    : printer_([](std::string_view text) { print_to(stdout, text); },
               [](std::string_view text) { print_to(stderr, text); }) {}

std::function<void(const LiveText&)> SummaryOnTerminal::reader() {
  return [hook = printer_.hook()](const LiveText& heard) {
    switch (heard.what) {
      case LiveText::What::delta: return hook.on_text(heard.step, heard.text);
      case LiveText::What::restart: return hook.on_restart(heard.step);
      case LiveText::What::end: return hook.on_end(heard.step);
    }
  };
}

void SummaryOnTerminal::finish(const RunReport& report) {
  if (report.end != RunEnd::done) return;
  if (auto summary = parse_json(report.output.text)) printer_.finish(*summary);
}

}  // namespace troupe::app
