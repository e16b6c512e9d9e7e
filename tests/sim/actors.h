// Who acts in a simulation, a step at a time. Ownership: an actor refers to the simulation that owns it.
#pragma once

#include <memory>

#include "tests/sim/simulation.h"

namespace mlops::sim {

class Actor {
 public:
  virtual ~Actor() = default;
  // False: it is done.
  virtual bool step(Simulation& simulation) = 0;
  // Whether its next step is one of the registry's writer.
  virtual bool needs_writer() const { return false; }
  bool is_busy = false;  // a step of it is going on further up
};

// Asks what is there, sends the rest as a stream, registers; tries again when the store says so.
std::unique_ptr<Actor> make_push(const SimFile& file, cas::OwnerTag owner);
// Plain bytes, piece by piece.
std::unique_ptr<Actor> make_upload(const SimFile& file, cas::OwnerTag owner);
// Reads a registered file in pieces.
std::unique_ptr<Actor> make_pull(const SimFile& file);
std::unique_ptr<Actor> make_collection(std::int64_t min_age_us);
std::unique_ptr<Actor> make_check();

}  // namespace mlops::sim
