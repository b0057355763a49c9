"""The site: the chapters as pages, a glossary, a page of measured facts (`make book`)."""
