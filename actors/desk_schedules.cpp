#include "actors/desk_schedules.hpp"

#include "actors/control_room.hpp"
#include "actors/controls_json.hpp"
#include "actors/schedule_view.hpp"
#include "runtime/base/clock.hpp"

#include <algorithm>

namespace troupe::actors {
namespace {

Result<policy::ControlsPtr> standing_controls(const DeskServices& services) {
  if (services.control_room != nullptr) return services.control_room->board()->load();
  auto rows = services.journal->controls({});
  if (!rows) return std::unexpected(rows.error());
  return std::make_shared<const policy::Controls>(restore_controls(*rows).controls);
}

}  // namespace

void schedules_list(const DeskServices& services, const Json& input, const Reply& reply) {
  ScheduleQuestion question{{get_int(input, "at_ms", services.clock->wall().ms)},
                            get_string(input, "schedule"),
                            get_string(input, "tenant"),
                            static_cast<std::size_t>(std::max<std::int64_t>(1, get_int(input, "count", 1)))};
  static const std::vector<Scheduled> none;
  auto controls = standing_controls(services);
  if (!controls) return reply(std::unexpected(controls.error()));
  auto told = schedules_json(services.schedules ? *services.schedules : none, question,
                             {services.journal, controls->get()});
  if (!told) return reply(std::unexpected(told.error()));
  reply(dump_json(*told));
}

}  // namespace troupe::actors
