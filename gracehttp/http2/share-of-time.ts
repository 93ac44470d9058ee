/**
 * When one of many has to leave, at random: a share of the time, from 0 to 1.
 *
 * Both processes accept meanwhile, so about every second client that leaves this one
 * connects to it again, and has to leave once more. More leave early, so that all
 * connections together are spread evenly: with one random number, a third of them would
 * come in the last tenth of the time.
 */
export function shareOfTime(): number {
  return Math.min(Math.random(), Math.random());
}
