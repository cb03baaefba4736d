"""What the campaign says: the texts of the pages, the consent text, the news.

Start with `texts` and `news`, which pages read; `editing` and `newsroom` are what editors do.
`shipped/` holds the texts that a new database begins with. An editor's text must never bring
raw HTML, a picture or a script onto a page, and a version must never be changed.
"""
