"""From figures to what people read: sentences, plots and tables of a report. Pure: no Django, no database.

Everything here reads the report as JSON (annotation.results.summary.Report.to_json), so that a stored report, one
computed a moment ago and one out of a study bundle look the same.
"""
