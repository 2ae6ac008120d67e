#include "platform/client/name_chain.h"

#include <algorithm>
#include <utility>

namespace causeway::platform {

// Nobody comes after a place that has not joined.
NameChain::Place* NameChain::after(const Place& place) const {
  auto found = std::find(places_.begin(), places_.end(), &place);
  return found == places_.end() || ++found == places_.end() ? nullptr : *found;
}

void NameChain::tell_of_others() const {
  for (const Place* each : places_) {
    std::vector<dns::OtherProfile> others;
    for (const Place* other : places_) {
      if (other != each) others.push_back(other->own_);
    }
    each->callbacks_.others(others);
  }
}

NameChain::Place::~Place() {
  leave();
  for (auto [request, question] : requests_) chain_.questions_.erase(question);
}

bool NameChain::Place::joined() const {
  return std::find(chain_.places_.begin(), chain_.places_.end(), this) != chain_.places_.end();
}

void NameChain::Place::join() {
  if (joined()) return;
  chain_.places_.push_back(this);
  chain_.tell_of_others();
}

void NameChain::Place::leave() {
  if (std::erase(chain_.places_, this) > 0) chain_.tell_of_others();
  std::vector<Question> left;
  std::erase_if(chain_.questions_, [&](auto& each) {
    if (each.second.asked != this) return false;
    left.push_back(std::move(each.second));
    return true;
  });
  for (Question& question : left) question.asker->ask(question.request, question.message);
}

void NameChain::Place::end() {
  leave();
  while (!requests_.empty()) {
    Number request = requests_.begin()->first;
    forget(request);
    callbacks_.failed(request);
  }
}

void NameChain::Place::ask(Number request, Bytes message) {
  requests_.erase(request);
  Place* next = chain_.after(*this);
  if (!next) return callbacks_.ask_machine(request, message);
  Number question = ++chain_.last_;
  chain_.questions_.emplace(question, Question{this, next, request, {message.begin(), message.end()}});
  requests_.emplace(request, question);
  next->callbacks_.asked(question, message);
}

void NameChain::Place::forget(Number request) {
  auto found = requests_.find(request);
  if (found == requests_.end()) return;
  chain_.questions_.erase(found->second);
  requests_.erase(found);
}

void NameChain::Place::answer(Number question, Bytes message) {
  auto found = chain_.questions_.find(question);
  if (found == chain_.questions_.end() || found->second.asked != this) return;
  Question answered = std::move(found->second);
  answered.asker->forget(answered.request);
  answered.asker->callbacks_.answered(answered.request, message);
}

}  // namespace causeway::platform
