// What charts, strips and tracks say.

export default {
  'group.states': 'States',
  'group.other': 'Other',
  'panel.empty': 'No value in this window',
  'panel.noTrack': 'No position in this window',
  'panel.waiting': 'Loading…',
  'panel.track': 'Track',
  'panel.summary': '{title}: now {last}, lowest {low}, highest {high} in this window',
  'panel.summaryEmpty': '{title}: no value in this window',
  'panel.summaryState': '{title}: now {last}',
  'panel.summaryTrack': 'Track, position {position}',
  'panel.summaryHistogram': '{title}: distribution of {count} values in this window',
  'panel.summaryHeatmap': '{title}: where its values were in this window',
  'panel.correlation': 'r = {r}, n = {count}',
  'panel.summaryGauge': '{title}: now {value}',
} as const;
