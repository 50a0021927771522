// The two tools of a night: joining a run that others need too, and putting a letter into a mailbox.
#pragma once

#include "agents/recap_night/ports.hpp"

#include <troupe/tool.hpp>

#include <string>

namespace troupe::recap_night {

/// What joining is asked: the run, and by when its joiners need it.
struct Joining {
  std::string workflow, run_id;
  JsonText input;
  WallTime due;
};
JsonText to_text(const Joining& joining);

/// Begins or joins the run and answers when it is done. Repeatable: after a crash it is joined again. Errors
/// of the run may pass, so the tool may be tried again; the run then goes on from what it had recorded.
ToolPtr make_joining(std::shared_ptr<SharedRuns> runs);

JsonText to_text(const Letter& letter);
Result<Letter> read_letter(const JsonText& text);

/// The letter without what its reader may not see now: channels he cannot read any more or that do not allow
/// recaps, and sentences of which a message was deleted or edited (J4, J5). To be asked whenever a letter is
/// shown, not only when it is made.
Letter still_shown(Letter letter, NightSource& source);

/// Puts the letter into the mailbox as `still_shown` leaves it, unless its reader has opted out. Repeatable,
/// because the mailbox knows the letter's key. Answers "delivered", "delivered before" or "opted out". The
/// first letter of this tool that its mailbox does not take is logged.
ToolPtr make_delivery(NightWorld world);

}  // namespace troupe::recap_night
